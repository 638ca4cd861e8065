import Redis

/// The channel on which a server announces keys that have changed.
private let invalidations = "__redis__:invalidate"

extension RedisClient {
    /// A connection that hears of changes to what `reader` reads from now on (`CLIENT TRACKING`), but for those that `reader` makes itself.
    ///
    /// - Parameters:
    ///   - optIn: whether only what is read behind `CLIENT CACHING YES` counts.
    ///   - onChange: called with the keys, or with nil when the server forgot all of them, on the client's own thread.
    /// - Returns: nil where the server does not tell, or not us; the reader stays open.
    /// - Throws: the connection's error; both connections are closed.
    func listener(
        for reader: RedisConnection,
        optIn: Bool = false,
        hearing onChange: @escaping @Sendable (RedisReply?) -> Void
    ) async throws -> RedisConnection? {
        let subscriber = try await connect()
        do {
            guard subscriber.clientID != 0 else { throw RedisError(.server, "NOPERM no client id") }
            try await subscriber.subscribe(to: invalidations, hearing: onChange)
            var batch = RedisBatch()
            let options: [RedisArgument] = optIn ? ["OPTIN", "NOLOOP"] : ["NOLOOP"]
            batch.append("CLIENT", ["TRACKING", "ON", "REDIRECT", .init(subscriber.clientID)] + options)
            _ = try await reader.execute(batch, timeout: configuration.commandTimeout)[0].get()
            return subscriber
        } catch let error as RedisError where error.code == .server && !error.isTransient {
            await subscriber.close()
            return nil
        } catch {
            await subscriber.close()
            await reader.close()
            throw error
        }
    }
}
