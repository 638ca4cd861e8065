internal import NIOCore

extension RedisClient {
    /// Waits on the client's own thread, so that nobody who blocks the threads of tasks delays it.
    ///
    /// - Throws: `CancellationError`.
    package func pause(for duration: Duration) async throws {
        let eventLoop = core.eventLoop
        let wait = Wait()
        try await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                eventLoop.execute { wait.begin(continuation, eventLoop, TimeAmount(duration)) }
            }
            try Task.checkCancellation()
        } onCancel: {
            eventLoop.execute { wait.end() }
        }
    }

    /// One wait. Used on the event loop only, which is what makes it safe to share.
    private final class Wait: @unchecked Sendable {
        private var continuation: UnsafeContinuation<Void, Never>?
        private var timer: Scheduled<Void>?
        private var isOver = false

        func begin(_ continuation: UnsafeContinuation<Void, Never>, _ eventLoop: any EventLoop, _ duration: TimeAmount)
        {
            guard !isOver else { return continuation.resume() }
            self.continuation = continuation
            timer = eventLoop.scheduleTask(in: duration) { self.end() }
        }

        func end() {
            isOver = true
            timer?.cancel()
            timer = nil
            let waiting = continuation
            continuation = nil
            waiting?.resume()
        }
    }

    /// Calls `body` after a while, on the client's own thread, unless that is taken back.
    package func schedule(after duration: Duration, _ body: @escaping @Sendable () -> Void) -> Timer {
        Timer(core.eventLoop.scheduleTask(in: TimeAmount(duration), body))
    }

    /// Something that is going to happen.
    package struct Timer: Sendable {
        private let scheduled: Scheduled<Void>

        fileprivate init(_ scheduled: Scheduled<Void>) { self.scheduled = scheduled }

        package func cancel() { scheduled.cancel() }
    }
}
