import NIOCore
import Testing

@testable import Redis

@Suite struct ConnectionStateMachineTests {
    typealias Machine = ConnectionStateMachine<Int>

    private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private func delivered(_ answer: Machine.Answer) -> Int? {
        if case .deliver(let request, _) = answer { request } else { nil }
    }

    @Test func `the first request of a burst is flushed at once, the others together`() {
        var machine = Machine()
        let result1 = machine.submit(1, replyCount: 1, deadline: nil)
        #expect(result1 == .write(flushNow: true))
        let result2 = machine.submit(2, replyCount: 1, deadline: nil)
        #expect(result2 == .write(flushNow: false))
        let result3 = machine.submit(3, replyCount: 1, deadline: nil)
        #expect(result3 == .write(flushNow: false))
    }

    @Test func `requests are answered in their order`() {
        var machine = Machine()
        for request in 1...3 { _ = machine.submit(request, replyCount: request, deadline: nil) }
        machine.flushed()
        for request in 1...3 {
            #expect(machine.oldest == request)
            #expect(machine.expectedReplies == request)
            let result22 = machine.answered()
            #expect(delivered(result22) == request)
        }
        #expect(machine.expectedReplies == nil)
        guard case .unsolicited = machine.answered() else {
            Issue.record("an answer to nothing")
            return
        }
    }

    @Test func `what is late keeps its place, and the connection drains`() {
        var machine = Machine()
        _ = machine.submit(1, replyCount: 1, deadline: time(5))
        _ = machine.submit(2, replyCount: 1, deadline: time(6))
        _ = machine.submit(3, replyCount: 1, deadline: nil)
        machine.flushed()
        var expiry = machine.expire(now: time(4))
        #expect(expiry.expired.isEmpty && expiry.next == time(5) && !expiry.close && machine.isOpen)
        expiry = machine.expire(now: time(5))
        #expect(expiry.expired == [1] && expiry.next == time(6) && !expiry.close && !machine.isOpen)
        let result4 = machine.submit(4, replyCount: 1, deadline: nil)
        #expect(result4 == .refuse)
        // The late reply to 1 is nobody's; 2 still gets its own.
        let result23 = machine.answered()
        #expect(delivered(result23) == nil)
        guard case .deliver(2, close: false) = machine.answered() else {
            Issue.record("2 was not answered")
            return
        }
        guard case .deliver(3, close: true) = machine.answered() else {
            Issue.record("the drained connection stays open")
            return
        }
    }

    @Test func `a connection that nobody waits for is closed`() {
        var machine = Machine()
        _ = machine.submit(1, replyCount: 1, deadline: time(5))
        let expiry = machine.expire(now: time(9))
        #expect(expiry.expired == [1] && expiry.close)
        var idle = Machine()
        let idleCloses = idle.drain()
        #expect(idleCloses)
        var busy = Machine()
        _ = busy.submit(1, replyCount: 1, deadline: nil)
        let busyCloses = busy.drain()
        #expect(!busyCloses)
    }

    @Test func `closing tells what was written from what was not`() {
        var machine = Machine()
        for request in 1...3 { _ = machine.submit(request, replyCount: 1, deadline: nil) }
        machine.flushed()
        for request in 4...5 { _ = machine.submit(request, replyCount: 1, deadline: nil) }
        _ = machine.answered()
        let remains = machine.close()
        #expect(remains.unanswered == [2, 3])
        #expect(remains.unwritten == [4, 5])
        let result5 = machine.close()
        #expect(result5.unanswered.isEmpty)
        let result6 = machine.submit(6, replyCount: 1, deadline: nil)
        #expect(result6 == .refuse)
    }
}

@Suite struct LinkStateMachineTests {
    final class Connection {}
    typealias Machine = LinkStateMachine<Connection, Int>

    private let refused = RedisError(.connectFailed, "refused")

    private func waits(_ submission: Machine.Submission, connecting: Bool) -> Bool {
        if case .wait(let connect) = submission { connect == connecting } else { false }
    }

    @Test func `the first request connects, and those after it wait`() {
        var machine = Machine()
        let result16 = machine.submit(1)
        #expect(waits(result16, connecting: true))
        let result17 = machine.submit(2)
        #expect(waits(result17, connecting: false))
        let connection = Connection()
        let result7 = machine.connected(connection)
        #expect(result7 == [1, 2])
        guard case .send(let used) = machine.submit(3), used === connection else {
            Issue.record("3 is not sent")
            return
        }
    }

    @Test func `after a failure there is a rest, and then another attempt if somebody waits`() {
        var machine = Machine()
        _ = machine.submit(1)
        for failures in 1...3 {
            guard case .wait = machine.connectFailed(refused) else {
                Issue.record("a refused connection must be tried again")
                return
            }
            #expect(machine.failures == failures && machine.lastError == refused)
            let result18 = machine.submit(10 * failures)
            #expect(waits(result18, connecting: false))
            let result8 = machine.restIsOver()
            #expect(result8)
        }
        let result9 = machine.connected(Connection())
        #expect(result9 == [1, 10, 20, 30])
        #expect(machine.failures == 0 && machine.lastError == nil)
    }

    @Test func `nobody waiting means no attempt`() {
        var machine = Machine()
        _ = machine.submit(1)
        _ = machine.connectFailed(refused)
        let dropped = machine.takeWaiting { _ in true }
        #expect(dropped == [1])
        let result10 = machine.restIsOver()
        #expect(!result10)
        let result19 = machine.submit(2)
        #expect(waits(result19, connecting: true))
    }

    @Test func `a refused login fails those who wait, at once`() {
        var machine = Machine()
        _ = machine.submit(1)
        guard case .fail([1]) = machine.connectFailed(RedisError(.authenticationFailed, "no")) else {
            Issue.record("1 waits in vain")
            return
        }
        let result20 = machine.submit(2)
        #expect(waits(result20, connecting: false))
        let result11 = machine.restIsOver()
        #expect(result11)
    }

    @Test func `what was not written goes first on the next connection`() {
        var machine = Machine()
        _ = machine.submit(1)
        let first = Connection(), second = Connection()
        _ = machine.connected(first)
        let result12 = machine.lost(first, unsent: [1, 2])
        #expect(result12)
        let result21 = machine.submit(3)
        #expect(waits(result21, connecting: false))
        let result13 = machine.connected(second)
        #expect(result13 == [1, 2, 3])
        // The first connection closes only now; the second is not touched.
        let result14 = machine.lost(first, unsent: [])
        #expect(!result14)
        #expect(machine.connection === second)
        let result15 = machine.lost(second, unsent: [])
        #expect(!result15)
        #expect(machine.connection == nil)
    }
}

@Suite struct BackoffTests {
    @Test func `waits double up to the maximum, and jitter only shortens them`() {
        let backoff = RedisBackoff(minimum: .milliseconds(10), maximum: .milliseconds(100), jitter: 0.5)
        #expect(
            (1...6).map { backoff.delay(afterFailures: $0, random: 0) }
                == [10, 20, 40, 80, 100, 100].map { Duration.milliseconds($0) }
        )
        #expect(backoff.delay(afterFailures: 1, random: 1) == .milliseconds(5))
        #expect(backoff.delay(afterFailures: .max, random: 0) == .milliseconds(100))
        #expect(backoff.delay(afterFailures: 0, random: 0) == .milliseconds(10))
    }
}
