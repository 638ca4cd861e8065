/// Decides when an administrator should hear of a queue that grows or mail that grows old. Speaks once, again when it has got twice as bad,
/// and when it is over.
package struct QueueAlarm: Sendable {
    /// A queue as it stands.
    package struct Look: Sendable {
        package var pending: Int
        /// The id of the message that is next.
        package var next: String?
        /// How many mails wait for another attempt, and for how long the oldest has.
        package var retried: Int
        package var oldestRetry: Duration?

        package init(pending: Int, next: String?, retried: Int, oldestRetry: Duration?) {
            self.pending = pending
            self.next = next
            self.retried = retried
            self.oldestRetry = oldestRetry
        }
    }

    private let length: Int
    private let age: Duration
    private var lengthLimit: Int
    private var stuckLimit: Duration
    private var retryLimit: Duration
    private var next: String?
    private var nextFor: Duration = .zero

    /// - Parameters:
    ///   - length: how many mails may wait.
    ///   - age: how long a mail may wait.
    package init(length: Int, age: Duration) {
        self.length = length
        self.age = age
        lengthLimit = length
        stuckLimit = age
        retryLimit = age
    }

    /// What there is to say, after another look.
    package mutating func warnings(_ look: Look, elapsed: Duration) -> [String] {
        var result: [String] = []
        if look.pending >= lengthLimit {
            result.append("The queue grows: \(look.pending) mails wait")
            lengthLimit = look.pending.doubled
        } else if look.pending < length, lengthLimit > length {
            result.append("The queue is short again: \(look.pending) mails wait")
            lengthLimit = length
        }
        nextFor = look.next != nil && look.next == next ? nextFor + elapsed : .zero
        next = look.next
        if nextFor >= stuckLimit {
            result.append("The next mail in the queue has waited for \(nextFor.rounded): is a worker stuck?")
            stuckLimit = nextFor * 2
        } else if nextFor < age {
            stuckLimit = age
        }
        if let oldest = look.oldestRetry, oldest >= retryLimit {
            result.append("\(look.retried) mail(s) could not be sent yet, the oldest for \(oldest.rounded)")
            retryLimit = oldest * 2
        } else if (look.oldestRetry ?? .zero) < age {
            retryLimit = age
        }
        return result
    }
}

extension Int {
    /// Twice as much, or the largest number.
    var doubled: Int { self > .max / 2 ? .max : self * 2 }
}
