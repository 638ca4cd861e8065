import Redis

/// The scripts of at-least-once delivery. They hold no semantics of huey's: they move messages, check whose they are, and carry out
/// commands that come as arguments.
///
/// Each begins with a look at the heartbeat: a consumer that was given up has lost what it held, and writes nothing any more. Where a
/// script writes, its first write takes something away, because a server that is full refuses scripts that begin by adding.
///
/// Redis does not roll a script back. Therefore a message is added to where it goes before it is removed from where it was, and the handle
/// by which a session is found (its heartbeat, its entry among the sessions) is removed last of all: a step that the server refuses
/// leaves everything for the next attempt. Only the key that lets the session write is removed first.
struct DeliveryScripts: Sendable {
    /// KEYS: queue, held, heartbeats, deaths, next, a batch whose answer was lost. ARGV: session, first number, count, whether the same was asked before.
    /// Answers messages, what is known of deaths: "index deliveries deaths", and whether any are known. -1 when the session is over.
    let take: RedisScript
    /// KEYS: queue, held, heartbeats, alive, then batches, each with the set of what is done. ARGV: session, then for each message its number, which of
    /// those batches it lies in, from 1 on, or 0, and its index there. Puts messages back to the head of the queue.
    let giveBack: RedisScript
    /// KEYS: queue, held, heartbeats, deaths, next, locks, results, sessions, kind, alive, over, sessions with batches, then all batches, each with the set of
    /// what is done. ARGV: session, the heartbeat seen or nothing, whether the consumer died, "hash" or "keys" for the locks, whether a
    /// blocking move may still bring something. Ends a session; all it held goes back. Answers how many messages; -1 when the heartbeat has changed.
    let end: RedisScript

    /// - Parameters:
    ///   - next: the body of `next(n)`: returns up to n messages of KEYS[1] as they are held, and removes none.
    ///   - drop: the body of `drop(n)`: removes so many messages.
    ///   - putBack: the body of `back(v)`: puts one back to where it came from.
    ///   - entries: the body of `entries(key, first, last)`: returns messages of a batch as they are held.
    ///   - shift: the body of `shift(key)`: removes a batch's oldest message.
    ///   - watch: what is read when there is nothing, so that the server tells who asked for it when the queue changes.
    init(next: String, drop: String, putBack: String, entries: String, shift: String, watch: String) {
        func function(_ name: String, _ body: String) -> String { "local function \(name)\n\(body)\nend\n" }
        let entries = function("entries(key, first, last)", entries)
        let back = function("back(v)", putBack)
        take = RedisScript(
            function("next(n)", next) + function("drop(n)", drop) + function("watch()", watch)
                + entries + function("shift(key)", shift) + Self.takeBody
        )
        giveBack = RedisScript(back + entries + Self.giveBackBody)
        end = RedisScript(back + entries + Self.endBody)
    }

    static let list = DeliveryScripts(
        next: """
            local flat, out = redis.call('LRANGE', KEYS[1], -n, -1), {}
            for i = #flat, 1, -1 do out[#out + 1] = flat[i] end
            return out
            """,
        drop: "redis.call('LTRIM', KEYS[1], 0, -(n + 1))",
        putBack: "redis.call('RPUSH', KEYS[1], v)",
        entries: "return redis.call('LRANGE', key, first, last)",
        shift: "redis.call('LPOP', key)",
        watch: ""
    )

    /// A message is held as its score, a blank, and the member of the sorted set.
    static let sortedSet = DeliveryScripts(
        next: scored("KEYS[1], 0, n - 1"),
        drop: "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, n - 1)",
        putBack: """
            local blank = string.find(v, ' ', 1, true)
            redis.call('ZADD', KEYS[1], string.sub(v, 1, blank - 1), string.sub(v, blank + 1))
            """,
        entries: scored("key, first, last"),
        shift: "redis.call('ZREMRANGEBYRANK', key, 0, 0)",
        watch: "redis.call('ZCARD', KEYS[1])"
    )

    private static func scored(_ range: String) -> String {
        """
        local flat, out = redis.call('ZRANGE', \(range), 'WITHSCORES'), {}
        for i = 1, #flat, 2 do out[#out + 1] = flat[i + 1] .. ' ' .. flat[i] end
        return out
        """
    }

    /// Up to the count in all: what an earlier request took whose answer was lost, what a blocking move brought, what a transaction took whose answer
    /// was lost, what the queue has.
    private static let takeBody = """
        if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 0 then return -1 end
        local first, count, out = tonumber(ARGV[2]), tonumber(ARGV[3]), {}
        if ARGV[4] == '1' then
            local v = redis.call('HGET', KEYS[2], first)
            while v and #out < count do
                out[#out + 1] = v
                v = redis.call('HGET', KEYS[2], first + #out)
            end
        end
        redis.call('HDEL', KEYS[2], '')
        while #out < count do
            local v = redis.call('LINDEX', KEYS[5], -1)
            if not v then break end
            redis.call('HSET', KEYS[2], first + #out, v)
            redis.call('RPOP', KEYS[5])
            out[#out + 1] = v
        end
        while #out < count do
            local v = entries(KEYS[6], 0, 0)[1]
            if not v then break end
            redis.call('HSET', KEYS[2], first + #out, v)
            shift(KEYS[6])
            out[#out + 1] = v
        end
        while #out < count do
            local wanted = math.min(count - #out, 1000)
            local fresh = next(wanted)
            if #fresh == 0 then break end
            local pairs = {}
            for i, v in ipairs(fresh) do
                pairs[2 * i - 1] = first + #out
                pairs[2 * i] = v
                out[#out + 1] = v
            end
            redis.call('HSET', KEYS[2], unpack(pairs))
            drop(#fresh)
            if #fresh < wanted then break end
        end
        if #out == 0 then watch() end
        local known, deaths = {}, redis.call('EXISTS', KEYS[4])
        if #out > 0 and deaths == 1 then
            for i, v in ipairs(out) do
                local id = redis.sha1hex(v)
                local n = redis.call('HGET', KEYS[4], id)
                if n then
                    known[#known + 1] = (i - 1) .. ' ' .. n .. ' ' .. (redis.call('HGET', KEYS[4], id .. '!') or '0')
                end
            end
        end
        return {out, known, deaths}
        """

    private static let giveBackBody = """
        if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 0 or redis.call('EXISTS', KEYS[4]) == 0 then return -1 end
        redis.call('HDEL', KEYS[2], '')
        for i = #ARGV - 2, 2, -3 do
            local batch = 3 + 2 * tonumber(ARGV[i + 1])
            if batch == 3 then
                local v = redis.call('HGET', KEYS[2], ARGV[i])
                if v then
                    back(v)
                    redis.call('HDEL', KEYS[2], ARGV[i], '!' .. ARGV[i])
                end
            elseif redis.call('SISMEMBER', KEYS[batch + 1], ARGV[i + 2]) == 0 then
                local v = entries(KEYS[batch], ARGV[i + 2], ARGV[i + 2])[1]
                if v then
                    back(v)
                    redis.call('SADD', KEYS[batch + 1], ARGV[i + 2])
                end
            end
        end
        return 1
        """

    private static let endBody = """
        local heartbeat = redis.call('HGET', KEYS[3], ARGV[1])
        if ARGV[2] ~= '' and heartbeat ~= ARGV[2] then return -1 end
        redis.call('DEL', KEYS[10])
        if ARGV[3] == '1' then redis.call('SET', KEYS[11], 1, 'EX', 604800) end
        local moved = 0
        local function count(v, hasStarted)
            moved = moved + 1
            if ARGV[3] == '1' then
                local id = redis.sha1hex(v)
                redis.pcall('HINCRBY', KEYS[4], id, 1)
                if hasStarted then redis.pcall('HINCRBY', KEYS[4], id .. '!', 1) end
                if moved == 1 then redis.pcall('EXPIRE', KEYS[4], 604800) end
            end
        end
        local v = redis.call('LINDEX', KEYS[5], 0)
        while v do
            back(v)
            redis.call('LPOP', KEYS[5])
            count(v, false)
            v = redis.call('LINDEX', KEYS[5], 0)
        end
        local order, held = {}, {}
        local flat = redis.call('HGETALL', KEYS[2])
        for i = 1, #flat, 2 do
            held[flat[i]] = flat[i + 1]
            local number = tonumber(flat[i])
            if number and number == number then
                order[#order + 1] = {number = number, message = flat[i + 1], field = flat[i]}
            end
        end
        for batch = 13, #KEYS, 2 do
            local first = tonumber(held['b' .. (batch - 13) / 2])
            -- An earlier release that took over has removed the number.
            if not first or first ~= first then first = -1e9 * batch end
            local left = entries(KEYS[batch], 0, -1)
            for i, v in ipairs(left) do
                local index = i - 1 - #left
                if redis.call('SISMEMBER', KEYS[batch + 1], index) == 0 then
                    order[#order + 1] = {number = first + i - 1, message = v, done = KEYS[batch + 1], index = index}
                end
            end
        end
        table.sort(order, function(a, b) return a.number > b.number end)
        for _, one in ipairs(order) do
            back(one.message)
            if one.done then
                redis.call('SADD', one.done, one.index)
            else
                redis.call('HDEL', KEYS[2], one.field, '!' .. one.field)
            end
            count(one.message, one.field and held['!' .. one.field])
        end
        redis.call('DEL', KEYS[2])
        for batch = 13, #KEYS do redis.call('DEL', KEYS[batch]) end
        for _, lock in ipairs(redis.call('SMEMBERS', KEYS[6])) do
            if ARGV[4] == 'hash' then redis.call('HDEL', KEYS[7], lock) else redis.call('DEL', lock) end
        end
        redis.call('DEL', KEYS[6])
        if ARGV[5] == '1' then
            redis.call('ZADD', KEYS[8], redis.call('TIME')[1], ARGV[1])
        else
            redis.call('ZREM', KEYS[8], ARGV[1])
        end
        redis.call('SREM', KEYS[12], ARGV[1])
        redis.call('HDEL', KEYS[3], ARGV[1])
        if redis.call('HLEN', KEYS[3]) + redis.call('ZCARD', KEYS[8]) + redis.call('SCARD', KEYS[12]) == 0 then
            redis.call('DEL', KEYS[9])
        end
        return moved
        """
}
