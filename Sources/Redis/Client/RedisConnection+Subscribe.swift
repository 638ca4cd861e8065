internal import NIOCore

extension RedisConnection {
    /// Subscribes to a channel. From then on the connection is good for nothing else.
    ///
    /// - Parameter onMessage: called for each message on it, on the client's own thread, until the connection is closed.
    /// - Throws: ``RedisError``, the server's refusal too.
    package func subscribe(to channel: String, _ onMessage: @escaping @Sendable () -> Void) async throws {
        let handler = handler
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            client.core.eventLoop.execute {
                // Before the server answers: a message may come in one piece with its answer.
                handler.value.onPush = { reply in
                    if reply.elements?.first?.string == "message" { onMessage() }
                }
                continuation.resume()
            }
        }
        var batch = RedisBatch()
        batch.append("SUBSCRIBE", .init(channel))
        _ = try await execute(batch, timeout: client.configuration.commandTimeout)[0].get()
    }
}
