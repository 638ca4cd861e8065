/// Asks one sentinel where the master of a service is.
struct SentinelQuestion {
    /// Login and question.
    let batch: RedisBatch
    private let password: String?
    private let loginCount: Int

    init(_ sentinels: RedisSentinels) {
        var batch = RedisBatch()
        loginCount = batch.appendLogin(user: sentinels.username, password: sentinels.password) ? 1 : 0
        // The first names a promoted replica before the failover has ended, the second tells the age of what is known.
        batch.append("SENTINEL", "GET-MASTER-ADDR-BY-NAME", RedisArgument(sentinels.service))
        batch.append("SENTINEL", "MASTER", RedisArgument(sentinels.service))
        self.batch = batch
        password = sentinels.password
    }

    /// What the sentinel's replies say.
    func evaluate(_ replies: RedisReplies) -> Result<MasterSearch<Endpoint>.Answer, RedisError> {
        let replies = Array(replies)
        if loginCount > 0, let error = replies.first?.error { return .failure(error.refusedLogin(password)) }
        guard replies.count == loginCount + 2 else { return .success(.unknownService) }
        let (place, details) = (replies[loginCount], replies[loginCount + 1])
        if let error = place.error {
            return .failure(error.prefix == "NOAUTH" ? error.refusedLogin(password) : error)
        }
        guard let parts = place.elements, parts.count == 2, let host = parts[0].string, !host.isEmpty,
            let port = parts[1].string.flatMap({ Int($0) })
        else { return .success(.unknownService) }
        return .success(.master(.host(host, port: port), epoch: Self.epoch(details)))
    }

    private static func epoch(_ details: RedisReply) -> Int {
        guard let fields = details.elements else { return 0 }
        for index in stride(from: 0, to: fields.count - 1, by: 2) where fields[index].string == "config-epoch" {
            return fields[index + 1].string.flatMap { Int($0) } ?? 0
        }
        return 0
    }
}
