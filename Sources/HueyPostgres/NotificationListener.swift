#if Postgres
    import Foundation
    import Huey
    import Logging
    import Synchronization

    /// A thread with a connection that listens for messages, for consumers that wait. It begins with the first that does.
    ///
    /// A notification may get lost with a connection: whoever waits looks again after a while in any case.
    final class NotificationListener: Sendable {
        private struct State {
            /// Counts what may have brought a message: notifications, and new connections.
            var count = 0
            var isStarted = false
            var isClosed = false
            /// Whether the next wait is over at once.
            var isInterrupted = false
            var lastWaiter = 0
            var waiters: [Int: CheckedContinuation<Void, Never>] = [:]

            mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
                defer { waiters = [:] }
                return Array(waiters.values)
            }
        }

        /// What thread and owner share; the thread does not keep the owner.
        private final class Shared: Sendable {
            let state = Mutex(State())
            let wake = Pipe()

            func ring() {
                let waiters = state.withLock { state in
                    state.count += 1
                    return state.takeWaiters()
                }
                for waiter in waiters { waiter.resume() }
            }
        }

        /// How long the listener waits before it connects again, and how long before it asks whether the connection is still there.
        private static let reconnectInterval = Duration.seconds(1)
        private static let pingInterval = Duration.seconds(30)

        private let shared = Shared()
        private let channel: String
        private let connect: @Sendable () throws -> PostgresConnection
        private let logger: Logger

        init(channel: String, logger: Logger, connect: @escaping @Sendable () throws -> PostgresConnection) {
            self.channel = channel
            self.logger = logger
            self.connect = connect
        }

        deinit { close() }

        /// What to give to ``wait(after:for:)``: read before one looks for messages.
        var count: Int {
            let (count, starts) = shared.state.withLock { state in
                defer { state.isStarted = true }
                return (state.count, !state.isStarted && !state.isClosed)
            }
            if starts { start() }
            return count
        }

        /// Waits until something may have brought a message since the count was read, somebody interrupts, or the time is over.
        ///
        /// - Returns: whether it is worth looking: false where it was interrupted.
        func wait(after count: Int, for time: Duration) async -> Bool {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [self] in await ring(after: count) }
                group.addTask { try? await Task.sleep(for: time) }
                await group.next()
                group.cancelAll()
            }
            return shared.state.withLock { state in
                defer { state.isInterrupted = false }
                return !state.isInterrupted
            }
        }

        private func ring(after count: Int) async {
            let number = shared.state.withLock { state in
                state.lastWaiter += 1
                return state.lastWaiter
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isOver = shared.state.withLock { state in
                        let isOver = state.count != count || state.isInterrupted || state.isClosed || Task.isCancelled
                        if !isOver { state.waiters[number] = continuation }
                        return isOver
                    }
                    if isOver { continuation.resume() }
                }
            } onCancel: {
                shared.state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
            }
        }

        /// Ends a wait; the next one where there is none.
        func interrupt() {
            let waiters = shared.state.withLock { state in
                state.isInterrupted = true
                return state.takeWaiters()
            }
            for waiter in waiters { waiter.resume() }
        }

        func close() {
            let waiters = shared.state.withLock { state in
                state.isClosed = true
                return state.takeWaiters()
            }
            for waiter in waiters { waiter.resume() }
            try? shared.wake.fileHandleForWriting.close()
        }

        private func start() {
            let (shared, channel, connect, logger) = (shared, channel, connect, logger)
            let thread = Thread {
                var isFailing = false
                while !shared.state.withLock(\.isClosed) {
                    do {
                        let connection = try connect()
                        let name = channel.replacingOccurrences(of: "\"", with: "\"\"")
                        _ = try connection.run([PostgresStatement("listen \"\(name)\"")])
                        if isFailing { logger.info("Notifications of Postgres arrive again.") }
                        isFailing = false
                        // What came before is not notified of.
                        shared.ring()
                        try Self.listen(on: connection, shared)
                    } catch {
                        if !isFailing {
                            let metadata: Logger.Metadata = ["reason": "\(error)"]
                            logger.warning(
                                "No notifications of Postgres; the queue is looked at from time to time",
                                metadata: metadata
                            )
                        }
                        isFailing = true
                        var wake = [
                            pollfd(
                                fd: shared.wake.fileHandleForReading.fileDescriptor,
                                events: Int16(POLLIN),
                                revents: 0
                            )
                        ]
                        _ = PostgresConnection.poll(&wake, for: Self.reconnectInterval)
                    }
                }
            }
            thread.name = "huey-listener"
            thread.start()
        }

        private static func listen(on connection: PostgresConnection, _ shared: Shared) throws {
            var lastSign = ContinuousClock.now
            while !shared.state.withLock(\.isClosed) {
                let wake = shared.wake.fileHandleForReading.fileDescriptor
                if try connection.awaitNotification(orWake: wake, for: pingInterval) {
                    shared.ring()
                    lastSign = .now
                } else if lastSign.duration(to: .now) >= pingInterval {
                    _ = try connection.read(PostgresStatement("select 1"))
                    lastSign = .now
                }
            }
        }
    }
#endif
