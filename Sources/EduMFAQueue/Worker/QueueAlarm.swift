/// Decides when an administrator should hear of a queue that grows or mail that grows old. Speaks once, again when it has got twice as bad,
/// and when the queue is short again.
package struct QueueAlarm: Sendable {
    /// A queue as it stands.
    package struct Look: Sendable {
        /// How many mails stand in the queue.
        package var pending: Int
        /// How many mails wait for another attempt.
        package var retried: Int
        /// For how long the oldest of both has waited; nil when none waits.
        package var oldest: Duration?

        package init(pending: Int, retried: Int, oldest: Duration?) {
            self.pending = pending
            self.retried = retried
            self.oldest = oldest
        }
    }

    private let length: Int
    private let age: Duration
    private var lengthLimit: Int
    private var ageLimit: Duration

    /// - Parameters:
    ///   - length: how many mails may wait.
    ///   - age: how long a mail may wait.
    package init(length: Int, age: Duration) {
        self.length = length
        self.age = age
        lengthLimit = length
        ageLimit = age
    }

    /// What there is to say, after another look.
    package mutating func warnings(_ look: Look) -> [String] {
        var result: [String] = []
        if look.pending >= lengthLimit {
            result.append("The queue grows: \(look.pending) mails wait")
            lengthLimit = look.pending.doubled
        } else if look.pending < length, lengthLimit > length {
            result.append("The queue is short again: \(look.pending) mails wait")
            lengthLimit = length
        }
        let oldest = look.oldest ?? .zero
        if oldest >= ageLimit {
            result.append(
                """
                The oldest mail has waited for \(oldest.rounded): \(look.pending) wait in the queue, \(look.retried) for another \
                attempt
                """
            )
            ageLimit = oldest * 2
        } else if oldest < age {
            ageLimit = age
        }
        return result
    }
}

extension Int {
    /// Twice as much, or the largest number.
    var doubled: Int { self > .max / 2 ? .max : self * 2 }
}
