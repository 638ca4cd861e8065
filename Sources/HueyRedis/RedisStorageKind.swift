/// huey's kinds of Redis storage.
public enum RedisStorageKind: String, Sendable, Hashable, CaseIterable {
    /// A list and a hash: huey's `RedisStorage`. No priorities; results stay until they are read.
    case redis
    /// A list, and keys that expire: huey's `RedisExpireStorage`.
    case redisExpire = "redis-expire"
    /// A sorted set and a hash: huey's `PriorityRedisStorage`.
    case priorityRedis = "priority-redis"
    /// A sorted set, and keys that expire: huey's `PriorityRedisExpireStorage`.
    case priorityRedisExpire = "priority-redis-expire"
    /// A list, a hash, and a schedule in base64: the `ValkeyGlideStorage` of `huey.contrib.valkey_glide`. Every kind reads its schedule;
    /// only this one writes what it reads.
    case valkeyGlide = "valkey-glide"

    var hasPriorities: Bool { self == .priorityRedis || self == .priorityRedisExpire }
    var expires: Bool { self == .redisExpire || self == .priorityRedisExpire }
}
