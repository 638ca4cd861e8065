internal import NIOCore

/// Following the master that sentinels know, when the connection to the former one does not break by itself.
extension ClientCore {
    /// What the search for another master is about.
    struct Following {
        /// Hears what sentinels announce; made with the first connection.
        var watch: SentinelWatch?
        /// Whether somebody looks later whether the connection says nothing.
        var isWatchingSilence = false
        /// Whether sentinels are being asked.
        var isLooking = false
        /// Whether to ask again at once, because the master may have moved meanwhile.
        var looksAgain = false
    }

    private static let patience = TimeAmount.seconds(1)

    /// Begins to listen to the sentinels.
    func startFollowing() {
        guard following.watch == nil, !isShutDown else { return }
        following.watch = connector.makeWatch()
        following.watch?.start { [weak self] in
            guard let self, let shared = link.connection else { return }
            lookForMaster(beside: shared)
        }
    }

    /// Looks for the master whenever a connection leaves requests without an answer for a second.
    func watchSilence(of connection: ConnectionHandler) {
        guard !following.isWatchingSilence else { return }
        following.isWatchingSilence = true
        let (answered, progress) = (connection.answeredCount, connection.lastProgress)
        eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self, weak connection] in
            guard let self else { return }
            following.isWatchingSilence = false
            guard let connection, connection === link.connection, connection.isBusy, !isShutDown else { return }
            if connection.answeredCount == answered, connection.lastProgress == progress {
                lookForMaster(beside: connection)
            }
            watchSilence(of: connection)
        }
    }

    /// Asks the sentinels again, and leaves the shared connection for another if they name another server.
    func lookForMaster(beside connection: ConnectionHandler) {
        guard !following.isLooking else {
            following.looksAgain = true
            return
        }
        following.isLooking = true
        connector.connect { [weak self, weak connection] result in
            let found = try? result.get()
            guard let self else {
                found?.close(RedisError(.shutdown, "the client is gone"))
                return
            }
            let again = following.looksAgain
            (following.isLooking, following.looksAgain) = (false, false)
            guard let connection, connection === link.connection, !isShutDown else {
                found?.close(RedisError(.connectionClosed, "nobody needs this connection"))
                return
            }
            if let found, found.endpoint != connection.endpoint {
                replaceShared(connection, by: found)
            } else {
                found?.close(RedisError(.connectionClosed, "the master is the same"))
                if again { lookForMaster(beside: connection) }
            }
        }
    }
}
