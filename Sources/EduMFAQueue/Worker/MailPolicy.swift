/// What becomes of mail that cannot be sent at once.
package struct MailPolicy: Sendable, Hashable {
    /// The time until the second attempt; it doubles with each further one.
    package var firstRetry: Duration = .seconds(5)
    /// The longest time between two attempts.
    package var longestRetry: Duration = .seconds(600)
    /// For how long there are attempts; zero for one attempt only.
    package var retryFor: Duration = .seconds(86_400)
    /// How old a mail may be when it is sent; nil for any age.
    package var maxAge: Duration?

    package init() {}

    /// The time until the next attempt of a mail that is so old and has failed so often; nil when there is to be none.
    package func delay(afterFailures failures: Int, age: Duration) -> Duration? {
        // 2^20 times any useful delay is beyond any useful limit.
        let delay = min(firstRetry * (1 << min(max(failures, 1) - 1, 20)), longestRetry)
        return age + delay <= retryFor ? delay : nil
    }
}
