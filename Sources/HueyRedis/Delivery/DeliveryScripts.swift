import Redis

/// The scripts of at-least-once delivery. They hold no semantics of huey's: they move messages, check whose they are, and carry out
/// commands that come as arguments.
///
/// Each begins with a look at the heartbeat: a consumer that was given up has lost what it held, and writes nothing any more. Where a
/// script writes, its first write takes something away, because a server that is full refuses scripts that begin by adding.
///
/// Redis does not roll a script back. Therefore a message is added to where it goes before it is removed from where it was, and the handle
/// by which a session is found (its heartbeat, its entry among the sessions) is removed last of all: a step that the server refuses
/// leaves everything for the next attempt.
struct DeliveryScripts: Sendable {
    /// KEYS: queue, held, heartbeats, deaths, next. ARGV: session, first number, count, whether the same was asked before.
    /// Answers messages and what is known of deaths: "index deliveries deaths". -1 when the session is over.
    let take: RedisScript
    /// KEYS: queue, held, heartbeats. ARGV: session, numbers. Puts messages back to the head of the queue.
    let giveBack: RedisScript
    /// KEYS: queue, held, heartbeats, deaths, next, locks, results, sessions, kind. ARGV: session, the heartbeat seen or nothing, whether the consumer died,
    /// "hash" or "keys" for the locks, whether a blocking move may still bring something. Ends a session; all it held goes back. Answers
    /// how many messages; -1 when the heartbeat has changed.
    let end: RedisScript

    /// - Parameters:
    ///   - next: the body of `next(n)`: returns up to n messages of KEYS[1] as they are held, and removes none.
    ///   - drop: the body of `drop(n)`: removes so many messages.
    ///   - putBack: the body of `back(v)`: puts one back to where it came from.
    ///   - watch: what is read when there is nothing, so that the server tells who asked for it when the queue changes.
    init(next: String, drop: String, putBack: String, watch: String) {
        let pop = "local function next(n)\n\(next)\nend\nlocal function drop(n)\n\(drop)\nend\n"
        let back = "local function back(v)\n\(putBack)\nend\n"
        let watch = "local function watch()\n\(watch)\nend\n"
        take = RedisScript(pop + watch + Self.takeBody)
        giveBack = RedisScript(back + Self.giveBackBody)
        end = RedisScript(back + Self.endBody)
    }

    static let list = DeliveryScripts(
        next: """
            local flat, out = redis.call('LRANGE', KEYS[1], -n, -1), {}
            for i = #flat, 1, -1 do out[#out + 1] = flat[i] end
            return out
            """,
        drop: "redis.call('LTRIM', KEYS[1], 0, -(n + 1))",
        putBack: "redis.call('RPUSH', KEYS[1], v)",
        watch: ""
    )

    /// A message is held as its score, a blank, and the member of the sorted set.
    static let sortedSet = DeliveryScripts(
        next: """
            local flat, out = redis.call('ZRANGE', KEYS[1], 0, n - 1, 'WITHSCORES'), {}
            for i = 1, #flat, 2 do out[#out + 1] = flat[i + 1] .. ' ' .. flat[i] end
            return out
            """,
        drop: "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, n - 1)",
        putBack: """
            local blank = string.find(v, ' ', 1, true)
            redis.call('ZADD', KEYS[1], string.sub(v, 1, blank - 1), string.sub(v, blank + 1))
            """,
        watch: "redis.call('ZCARD', KEYS[1])"
    )

    /// Three steps, up to the count in all: what an earlier request took whose answer was lost, what a blocking move brought, what the queue has.
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
        local known = {}
        if #out > 0 and redis.call('EXISTS', KEYS[4]) == 1 then
            for i, v in ipairs(out) do
                local id = redis.sha1hex(v)
                local n = redis.call('HGET', KEYS[4], id)
                if n then
                    known[#known + 1] = (i - 1) .. ' ' .. n .. ' ' .. (redis.call('HGET', KEYS[4], id .. '!') or '0')
                end
            end
        end
        return {out, known}
        """

    private static let giveBackBody = """
        if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 0 then return -1 end
        redis.call('HDEL', KEYS[2], '')
        for i = #ARGV, 2, -1 do
            local v = redis.call('HGET', KEYS[2], ARGV[i])
            if v then
                back(v)
                redis.call('HDEL', KEYS[2], ARGV[i], '!' .. ARGV[i])
            end
        end
        return 1
        """

    private static let endBody = """
        local heartbeat = redis.call('HGET', KEYS[3], ARGV[1])
        if ARGV[2] ~= '' and heartbeat ~= ARGV[2] then return -1 end
        redis.call('HDEL', KEYS[3], '')
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
        local order, held, fields = {}, {}, {}
        local flat = redis.call('HGETALL', KEYS[2])
        for i = 1, #flat, 2 do
            held[flat[i]] = flat[i + 1]
            local number = tonumber(flat[i])
            if number and number == number then
                order[#order + 1] = number
                fields[number] = flat[i]
            end
        end
        table.sort(order, function(a, b) return a > b end)
        for _, number in ipairs(order) do
            local field = fields[number]
            back(held[field])
            redis.call('HDEL', KEYS[2], field, '!' .. field)
            count(held[field], held['!' .. field])
        end
        redis.call('DEL', KEYS[2])
        for _, lock in ipairs(redis.call('SMEMBERS', KEYS[6])) do
            if ARGV[4] == 'hash' then redis.call('HDEL', KEYS[7], lock) else redis.call('DEL', lock) end
        end
        redis.call('DEL', KEYS[6])
        if ARGV[5] == '1' then
            redis.call('ZADD', KEYS[8], redis.call('TIME')[1], ARGV[1])
        else
            redis.call('ZREM', KEYS[8], ARGV[1])
        end
        redis.call('HDEL', KEYS[3], ARGV[1])
        if redis.call('HLEN', KEYS[3]) + redis.call('ZCARD', KEYS[8]) == 0 then redis.call('DEL', KEYS[9]) end
        return moved
        """

    /// KEYS: heartbeats, held, deaths. ARGV: session, number, how many numbers of messages, how many of those were delivered before, those numbers
    /// (the latter last), and commands. Answers 1; 0 for a repeated number; -1 when the session is over.
    ///
    /// The acknowledgement comes last: Redis does not roll back.
    static let commit = RedisScript(
        run + """
            if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
            local done = redis.call('HGET', KEYS[2], 'c')
            if done and tonumber(done) >= tonumber(ARGV[2]) then return 0 end
            redis.call('HDEL', KEYS[2], '')
            local count, again = tonumber(ARGV[3]), tonumber(ARGV[4])
            local n = 5 + count
            while n <= #ARGV do n = run(n) end
            for i = 5 + count - again, 4 + count do
                local v = redis.call('HGET', KEYS[2], ARGV[i])
                if v then
                    local id = redis.sha1hex(v)
                    redis.call('HDEL', KEYS[3], id, id .. '!')
                    redis.call('HDEL', KEYS[2], '!' .. ARGV[i])
                end
            end
            redis.call('HSET', KEYS[2], 'c', ARGV[2])
            if count > 0 then redis.call('HDEL', KEYS[2], unpack(ARGV, 5, 4 + count)) end
            return 1
            """
    )

    /// KEYS: heartbeats, held, deaths. ARGV: session, the message's number, the chord's size, and commands: whether the member was counted, the counter's
    /// value, and those that count it. Answers 1 when it is counted and acknowledged, 2 when it is the last and nothing was written.
    static let count = RedisScript(
        run + """
            if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
            local v = redis.call('HGET', KEYS[2], ARGV[2])
            if not v then return 1 end
            local n, isCounted, counted = 4
            n, isCounted = run(n)
            n, counted = run(n)
            if isCounted == 0 then
                local size = tonumber(ARGV[3])
            if size > 0 and (tonumber(counted or '0') or 0) + 1 >= size then return 2 end
                redis.call('HDEL', KEYS[2], '')
                while n <= #ARGV do n = run(n) end
            end
            redis.call('HDEL', KEYS[2], ARGV[2], '!' .. ARGV[2])
            if redis.call('EXISTS', KEYS[3]) == 1 then
                local id = redis.sha1hex(v)
                redis.call('HDEL', KEYS[3], id, id .. '!')
            end
            return 1
            """
    )

    /// The function `run(n)`: carries out the command whose number of words is `ARGV[n]` and whose words follow; returns the place of the
    /// next one, and the reply. A name that ends with `+` is that of a command whose last argument comes in parts: in one, the
    /// server would find it too large.
    static let run = """
        local function run(n)
            local words, reply = tonumber(ARGV[n])
            if ARGV[n + 1] == 'LPUSH+' then
                reply = redis.call('LPUSH', ARGV[n + 2], table.concat({unpack(ARGV, n + 3, n + words)}))
            else
                reply = redis.call(unpack(ARGV, n + 1, n + words))
            end
            return n + words + 1, reply
        end

        """

    /// KEYS: heartbeats, sessions, kind, queue. ARGV: session, heartbeat, the kind of storage, the type of its queue. Begins a session. Answers 1, or the
    /// kind or type that others use: what they hold must not be recovered in another form.
    static let begin = RedisScript(
        """
        local type = redis.call('TYPE', KEYS[4]).ok
        if type ~= 'none' and type ~= ARGV[4] then return type end
        local kind = redis.call('GET', KEYS[3])
        if kind and kind ~= ARGV[3] and redis.call('HLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]) > 0 then return kind end
        redis.call('HDEL', KEYS[1], '')
        redis.call('SET', KEYS[3], ARGV[3])
        redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        return 1
        """
    )

    /// KEYS: heartbeats. ARGV: session, heartbeat. Answers all heartbeats; -1 when the session is over.
    static let heartbeat = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
        redis.call('HDEL', KEYS[1], '')
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        return redis.call('HGETALL', KEYS[1])
        """
    )

    /// KEYS: heartbeats, held. ARGV: session, the message's number. Notes that its task starts.
    static let start = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
        if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return -1 end
        redis.call('HDEL', KEYS[2], '')
        redis.call('HSET', KEYS[2], '!' .. ARGV[2], 1)
        return 1
        """
    )

    /// KEYS: heartbeats, locks. ARGV: session, the lock, whether that session must go on, and commands: the one that opens it, whose answer it is. A session
    /// that is over has lost its locks, and another may have taken them.
    static let unlock = RedisScript(
        """
        if ARGV[3] == '1' and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('SREM', KEYS[2], ARGV[2])
        return redis.call(unpack(ARGV, 5, 4 + tonumber(ARGV[4])))
        """
    )

    /// KEYS: heartbeats, locks. ARGV: session, the lock, and commands: the one that takes it. Answers 1 when it was free; it is on record then. A
    /// session that is over takes none: nobody would open it.
    static let lock = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
        local reply = redis.call(unpack(ARGV, 4, 3 + tonumber(ARGV[3])))
        if not reply or reply == 0 then return 0 end
        redis.call('SADD', KEYS[2], ARGV[2])
        return 1
        """
    )
}
