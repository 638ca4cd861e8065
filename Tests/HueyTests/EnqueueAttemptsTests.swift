import Synchronization
import TestSupport
import Testing

@testable import Huey

@Suite("Enqueueing with a budget of time")
struct EnqueueAttemptsTests {
    struct Failure: StorageFailure, Equatable {
        var isTransient = true
        var mayHaveHappened = false
    }

    /// Plays the outcomes in turn: nil is success.
    private final class Script: Sendable {
        private let rest: Mutex<[Failure?]>
        let count = Atomic(0)

        init(_ outcomes: [Failure?]) { rest = Mutex(outcomes) }

        func next() throws {
            count.add(1, ordering: .relaxed)
            if let failure = rest.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw failure }
        }
    }

    private func attempts(_ clock: ManualClock, idempotent: Bool = true) -> EnqueueAttempts<ManualClock> {
        EnqueueAttempts(id: "me", budget: .seconds(10), isIdempotent: idempotent, clock: clock)
    }

    /// Runs to the end, moving the clock on whenever somebody sleeps on it.
    private func run(_ attempts: EnqueueAttempts<ManualClock>, _ script: Script) async throws {
        let clock = attempts.clock
        let mover = Task {
            while !Task.isCancelled {
                await Task.yield()
                clock.advance(by: .milliseconds(1))
            }
        }
        defer { mover.cancel() }
        try await attempts.run { try script.next() }
    }

    @Test("failures that pass are tried again until it works")
    func triedAgain() async throws {
        let script = Script([Failure(), Failure(mayHaveHappened: true), Failure(), nil])
        try await run(attempts(ManualClock()), script)
        #expect(script.count.load(ordering: .relaxed) == 4)
    }

    @Test("a failure that does not pass is the producer's at once")
    func permanent() async throws {
        let script = Script([Failure(isTransient: false), nil])
        await #expect(throws: Failure(isTransient: false)) { try await run(attempts(ManualClock()), script) }
        #expect(script.count.load(ordering: .relaxed) == 1)
    }

    @Test("where the storage cannot tell a repetition, a lost answer ends the attempts")
    func notIdempotent() async throws {
        let script = Script([Failure(), Failure(mayHaveHappened: true), nil])
        let error = await #expect(throws: EnqueueFailure.self) {
            try await run(attempts(ManualClock(), idempotent: false), script)
        }
        #expect(error?.mayHaveHappened == true && error?.id == "me" && error?.reason is Failure)
        #expect(script.count.load(ordering: .relaxed) == 2)
    }

    @Test("when the time is over, the error tells whether some attempt may have happened", arguments: [true, false])
    func exhausted(lost: Bool) async throws {
        let script = Script([Failure(mayHaveHappened: lost)] + Array(repeating: Failure(), count: 10_000))
        let error = await #expect(throws: EnqueueFailure.self) { try await run(attempts(ManualClock()), script) }
        #expect(error?.mayHaveHappened == lost)
        // Ten seconds of pauses that grow to one second, each shortened by up to a half.
        #expect((10...30).contains(script.count.load(ordering: .relaxed)))
    }

    @Test("an attempt without an outcome ends with the time")
    func hanging() async throws {
        let clock = ManualClock()
        let attempts = attempts(clock)
        let task = Task {
            try await attempts.run { try await Task.sleep(for: .seconds(3600)) }
        }
        await clock.waitForSleeps(1)
        clock.advance(by: .seconds(10))
        let error = await #expect(throws: EnqueueFailure.self) { try await task.value }
        #expect(error?.mayHaveHappened == true && error?.reason == nil)
    }

    @Test("a message larger than the options allow is refused, and so is a result")
    func sizes() async throws {
        let huey = Huey(storage: MemoryStorage(), options: HueyOptions(maximumMessageSize: 1000))
        let text = String(repeating: "x", count: 1000)
        await #expect { try await huey.remoteTask("a.b")(text) } throws: {
            ($0 as? HueyError)?.code == .tooLarge && !"\($0)".contains("xxx")
        }
        #expect(try await huey.pending().isEmpty)
    }
}
