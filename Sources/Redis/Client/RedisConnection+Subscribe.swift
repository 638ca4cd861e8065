internal import NIOCore

extension RedisConnection {
    /// Subscribes to a channel. From then on the connection is good for nothing else.
    ///
    /// - Parameter onMessage: called with what is said in each message on it, on the client's own thread, until the connection is closed.
    /// - Throws: ``RedisError``, the server's refusal too.
    package func subscribe(to channel: String, hearing onMessage: @escaping @Sendable (RedisReply?) -> Void)
        async throws
    {
        let handler = handler
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            client.core.eventLoop.execute {
                // Before the server answers: a message may come in one piece with its answer.
                handler.value.onPush = { reply in
                    guard let parts = reply.elements, parts.first?.string == "message" else { return }
                    onMessage(parts.count > 2 ? parts[2] : nil)
                }
                continuation.resume()
            }
        }
        var batch = RedisBatch()
        batch.append("SUBSCRIBE", .init(channel))
        _ = try await execute(batch, timeout: client.configuration.commandTimeout)[0].get()
    }
}
