import Testing

@testable import EduMFAQueue

/// When mail is tried again, and when somebody hears of it.
struct PolicyTests {
    @Test("waits double up to a limit, and end with the time for attempts")
    func delays() {
        var policy = MailPolicy()
        policy.firstRetry = .seconds(5)
        policy.longestRetry = .seconds(60)
        policy.retryFor = .seconds(1000)
        #expect(
            (1...6).map { policy.delay(afterFailures: $0, age: .zero) } == [5, 10, 20, 40, 60, 60].map { .seconds($0) }
        )
        #expect(policy.delay(afterFailures: 1_000_000, age: .zero) == .seconds(60))
        #expect(policy.delay(afterFailures: 6, age: .seconds(940)) == .seconds(60))
        #expect(policy.delay(afterFailures: 6, age: .seconds(941)) == nil)
        policy.retryFor = .zero
        #expect(policy.delay(afterFailures: 1, age: .zero) == nil)
    }

    private func look(_ pending: Int, next: String? = nil, retry: Duration? = nil) -> QueueAlarm.Look {
        QueueAlarm.Look(pending: pending, next: next, retried: retry == nil ? 0 : 1, oldestRetry: retry)
    }

    @Test("a long queue is told once, again when it has doubled, and when it is over")
    func length() {
        var alarm = QueueAlarm(length: 10, age: .seconds(60))
        let told = [9, 10, 15, 20, 39, 40, 5, 5, 10].map {
            alarm.warnings(look($0), elapsed: .seconds(1)).count
        }
        #expect(told == [0, 1, 0, 1, 0, 1, 1, 0, 1])
    }

    @Test("a mail that stays the next one is told when it has waited too long")
    func stuck() {
        var alarm = QueueAlarm(length: 10, age: .seconds(60))
        let told = (0...6).map { _ in alarm.warnings(look(1, next: "a"), elapsed: .seconds(30)).count }
        #expect(told == [0, 0, 1, 0, 1, 0, 0])
        #expect(alarm.warnings(look(1, next: "b"), elapsed: .seconds(30)).isEmpty)
    }

    @Test("mail that waits for another attempt is told when the oldest is too old")
    func retried() {
        var alarm = QueueAlarm(length: 10, age: .seconds(60))
        let told = [59, 60, 100, 120, 10, 60].map {
            alarm.warnings(look(0, retry: .seconds($0)), elapsed: .seconds(1)).count
        }
        #expect(told == [0, 1, 0, 1, 0, 1])
    }
}
