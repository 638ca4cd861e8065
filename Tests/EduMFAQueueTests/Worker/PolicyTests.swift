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

    private func look(_ pending: Int, oldest: Int? = nil) -> QueueAlarm.Look {
        QueueAlarm.Look(pending: pending, retried: 1, oldest: oldest.map { .seconds($0) })
    }

    @Test("a long queue is told once, again when it has doubled, and when it is over")
    func length() {
        var alarm = QueueAlarm(length: 10, age: .seconds(60))
        let told = [9, 10, 15, 20, 39, 40, 5, 5, 10].map { alarm.warnings(look($0)).count }
        #expect(told == [0, 1, 0, 1, 0, 1, 1, 0, 1])
    }

    @Test("the oldest mail is told when it has waited too long, and again when it has waited twice as long")
    func age() {
        var alarm = QueueAlarm(length: 10, age: .seconds(60))
        let told = [59, 60, 100, 120, 10, 60].map { alarm.warnings(look(1, oldest: $0)).count }
        #expect(told == [0, 1, 0, 1, 0, 1])
        #expect(alarm.warnings(look(0, oldest: nil)).isEmpty)
        let text = alarm.warnings(look(3, oldest: 600)).joined()
        #expect(text.contains("waited for 10 min: 3 wait in the queue, 1 for another attempt"))
    }

    @Test("the queue is looked at every half minute, more often where less time is allowed")
    func pause() {
        var options = QueueMonitor.Options()
        #expect(options.pause == .seconds(30))
        options.warnAge = .seconds(20)
        #expect(options.pause == .seconds(5))
        options.warnAge = .seconds(1)
        #expect(options.pause == .seconds(1))
        options.warnAge = .seconds(300)
        options.limitsAge = true
        #expect(options.pause == .seconds(5))
    }
}
