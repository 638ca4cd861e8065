public import Logging
public import NIOCore
internal import NIOPosix

/// Sends commands to a Redis server; many tasks share it.
///
/// All commands go over one connection, and what is sent at the same time goes out in few writes. It is made with the
/// first command, and again after it broke. Blocking commands need a connection of their own: ``connect()``.
///
///     let client = RedisClient(try RedisConfiguration(url: "redis://localhost:6379/0"))
///     let greeting = try await client.command("GET", "greeting").string
///
/// What was written and not answered is never sent again: the error says that it may have run
/// (``RedisError/mayHaveExecuted``), and the caller decides. What was not written waits for the next connection.
///
/// Cancelling a task that waits for a command ends its wait with `CancellationError`; a command that was written runs
/// nevertheless.
public final class RedisClient: Sendable {
    let core: ClientCore

    /// Where the server is, and how long things may take.
    public var configuration: RedisConfiguration { core.configuration }

    /// A client without a connection yet.
    ///
    /// - Parameters:
    ///   - configuration: where the server is.
    ///   - eventLoopGroup: one of its loops runs all connections of the client; NIO's global group if nil.
    ///   - logger: told when the server goes away and comes back; silent if none is given.
    public init(
        _ configuration: RedisConfiguration,
        eventLoopGroup: (any EventLoopGroup)? = nil,
        logger: Logger = Logger(label: "redis", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        let eventLoop = (eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton).next()
        core = ClientCore(configuration, eventLoop: eventLoop, logger: logger)
        if !configuration.ignoredOptions.isEmpty {
            let names = configuration.ignoredOptions.joined(separator: ", ")
            logger.debug("options of the Redis URL without effect", metadata: ["options": "\(names)"])
        }
    }

    deinit {
        let core = core
        core.eventLoop.execute { core.shutdown {} }
    }

    /// The client's event loop as an executor. A task that prefers it (`Task(executorPreference:)`) awaits commands
    /// without a change of threads; it must not block, or compute for long.
    public var executor: any TaskExecutor { core.executor }

    /// Sends a batch and waits for its replies, as many as it has commands, in their order.
    ///
    /// - Throws: ``RedisError`` if the replies did not come, `CancellationError`. Errors of single commands are in the
    ///   replies.
    public func execute(_ batch: RedisBatch) async throws -> RedisReplies {
        guard let request = try PendingRequest(batch, timeout: core.commandTimeout) else { return .none }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { core.submit(request, $0) }
        } onCancel: {
            core.cancel(request)
        }
    }

    /// Sends one command and waits for its reply. A subcommand is an argument: `command("CLIENT", "ID")`.
    ///
    /// - Throws: ``RedisError``, for an error that the server replies too; `CancellationError`.
    @discardableResult
    public func command(_ name: StaticString, _ arguments: RedisArgument...) async throws -> RedisReply {
        var batch = RedisBatch()
        batch.append(name, arguments)
        return try await execute(batch)[0].get()
    }

    /// Runs a script: by its hash, and with its text if the server does not know it, as redis-py's `Script`.
    ///
    /// - Throws: ``RedisError``, for an error that the script or the server replies too; `CancellationError`.
    @discardableResult
    public func eval(
        _ script: RedisScript,
        keys: [RedisArgument],
        arguments: [RedisArgument]
    ) async throws -> RedisReply {
        var batch = RedisBatch()
        batch.evaluate(script, keys: keys, arguments: arguments)
        let reply = try await execute(batch)[0]
        guard reply.error?.prefix == "NOSCRIPT" else { return try reply.get() }
        batch = RedisBatch()
        batch.evaluate(sourceOf: script, keys: keys, arguments: arguments)
        return try await execute(batch)[0].get()
    }

    /// Makes a connection of one's own, for blocking commands, in one attempt.
    ///
    /// - Throws: ``RedisError``.
    public func connect() async throws -> RedisConnection {
        let core = core
        return try await withUnsafeThrowingContinuation { continuation in
            core.eventLoop.execute {
                core.connectDedicated { result in
                    continuation.resume(with: result.map { RedisConnection($0, client: self) }.mapError { $0 })
                }
            }
        }
    }

    /// Closes all connections. Commands in flight are answered first, blocked connections are woken, and further
    /// commands fail with ``RedisError/Code/shutdown``.
    public func shutdown() async {
        let core = core
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            core.eventLoop.execute { core.shutdown { continuation.resume() } }
        }
    }
}

extension PendingRequest {
    /// A request for a batch, or nil if the batch is empty.
    convenience init?(_ batch: RedisBatch, timeout: TimeAmount?, patience: TimeAmount? = nil) throws(RedisError) {
        switch batch.fault {
        case .argumentCount:
            throw RedisError(.invalidBatch, "a command has more or fewer arguments than announced")
        case .tooLarge:
            throw RedisError(.invalidBatch, "the batch is larger than \(RedisBatch.maximumByteCount) bytes")
        case nil: break
        }
        guard batch.count > 0 else { return nil }
        self.init(payload: batch.buffer, replyCount: batch.count, timeout: timeout, patience: patience)
    }
}
