#if Postgres
    import Foundation
    import Logging
    import Synchronization

    /// A few threads, each with a connection: libpq's calls block, so they are made there and not on Swift's cooperative pool.
    ///
    /// A thread begins when there is work that no other is free for, and connects with its first work. All end with ``close()``.
    final class PostgresWorkers: Sendable {
        private typealias Job = @Sendable (Worker?) -> Void

        private struct State {
            var jobs: [Job] = []
            var threads = 0
            var busy = 0
            var isClosed = false
        }

        /// What threads and owner share; threads do not keep the owner.
        private final class Queue: Sendable {
            let state = Mutex(State())
            /// Signalled once for each job, and once for each thread at the end.
            let signal = DispatchSemaphore(value: 0)
        }

        /// A thread's connection.
        final class Worker {
            private let connect: @Sendable () throws -> PostgresConnection
            private var connection: PostgresConnection?

            init(connect: @escaping @Sendable () throws -> PostgresConnection) { self.connect = connect }

            /// Most attempts where statements lose a conflict with others.
            private static let mostAttempts = 10

            /// Runs `body`, again where it lost a conflict, and where the connection turned out to be broken before anything could happen.
            func perform<Value>(_ body: (PostgresConnection) throws -> Value) throws -> Value {
                var attempt = 1
                while true {
                    if connection?.isOpen == false { connection = nil }
                    let isFresh = connection == nil
                    let connection = try self.connection ?? connect()
                    self.connection = connection
                    do { return try body(connection) } catch let error as PostgresError {
                        if error.endsConnection { self.connection = nil }
                        guard error.isConflict || error.isStale && !isFresh, attempt < Self.mostAttempts else {
                            throw error
                        }
                        // Others that conflict try again, too.
                        usleep(UInt32.random(in: 0..<1000) * UInt32(attempt))
                        attempt += 1
                    }
                }
            }
        }

        private let queue = Queue()
        private let limit: Int
        private let connect: @Sendable () throws -> PostgresConnection

        init(limit: Int, connect: @escaping @Sendable () throws -> PostgresConnection) {
            self.limit = max(1, limit)
            self.connect = connect
        }

        deinit { close() }

        /// Runs `body` with a connection, on one of the threads.
        ///
        /// - Throws: ``PostgresError``, and what `body` throws.
        func perform<Value: Sendable>(
            _ body: @escaping @Sendable (PostgresConnection) throws -> Value
        ) async throws -> Value {
            try await withCheckedThrowingContinuation { continuation in
                add { worker in
                    guard let worker else {
                        return continuation.resume(throwing: PostgresError(.closed, "the storage is closed"))
                    }
                    continuation.resume(with: Result { try worker.perform(body) })
                }
            }
        }

        /// Ends the threads once they have done what they were asked for.
        func close() {
            let threads = queue.state.withLock { state in
                defer { state.isClosed = true }
                return state.isClosed ? 0 : state.threads
            }
            for _ in 0..<threads { queue.signal.signal() }
        }

        private func add(_ job: @escaping Job) {
            enum Step { case refuse, wake, start }
            let step = queue.state.withLock { state -> Step in
                guard !state.isClosed else { return .refuse }
                state.jobs.append(job)
                guard state.threads - state.busy < state.jobs.count, state.threads < limit else { return .wake }
                state.threads += 1
                return .start
            }
            if step == .refuse { return job(nil) }
            queue.signal.signal()
            if step == .start { start() }
        }

        private func start() {
            let (queue, connect) = (queue, connect)
            let thread = Thread {
                let worker = Worker(connect: connect)
                while true {
                    queue.signal.wait()
                    let job = queue.state.withLock { state -> Job? in
                        guard !state.jobs.isEmpty else { return nil }
                        state.busy += 1
                        return state.jobs.removeFirst()
                    }
                    guard let job else { return }
                    job(worker)
                    queue.state.withLock { $0.busy -= 1 }
                }
            }
            thread.name = "huey-postgres"
            thread.start()
        }
    }
#endif
