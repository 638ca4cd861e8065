import Redis

/// The scripts of at-least-once delivery. They hold no semantics of huey's: they move messages, check whose they are, and carry out
/// commands that come as arguments.
///
/// Each begins with a look at the heartbeat: a consumer that was given up has lost what it held, and writes nothing any more. Where a
/// script writes, its first write takes something away, because a server that is full refuses scripts that begin by adding.
struct DeliveryScripts: Sendable {
    /// KEYS: queue, held, beats, deaths, next. ARGV: life, first number, count, whether the same was asked before.
    /// Answers messages and what is known of deaths: "index deliveries deaths". -1 when the life is over.
    let take: RedisScript
    /// KEYS: queue, held, beats. ARGV: life, numbers. Puts messages back to the head of the queue.
    let giveBack: RedisScript
    /// KEYS: queue, held, beats, deaths, next, locks, results, gone. ARGV: life, the heartbeat seen or nothing, whether the consumer died,
    /// "hash" or "keys" for the locks, whether a blocking move may still bring something. Ends a life; all it held goes back. Answers
    /// how many messages; -1 when the heartbeat has changed.
    let end: RedisScript

    /// - Parameters:
    ///   - pop: the body of `pop(n)`: removes up to n messages from KEYS[1] and returns them as they are held.
    ///   - putBack: the body of `back(v)`: puts one back to where it came from.
    ///   - watch: what is read when there is nothing, so that the server tells who asked for it when the queue changes.
    init(pop: String, putBack: String, watch: String) {
        let pop = "local function pop(n)\n\(pop)\nend\n"
        let back = "local function back(v)\n\(putBack)\nend\n"
        let watch = "local function watch()\n\(watch)\nend\n"
        take = RedisScript(pop + watch + Self.takeBody)
        giveBack = RedisScript(back + Self.giveBackBody)
        end = RedisScript(back + Self.endBody)
    }

    static let list = DeliveryScripts(
        pop: "return redis.call('RPOP', KEYS[1], n) or {}",
        putBack: "redis.call('RPUSH', KEYS[1], v)",
        watch: ""
    )

    /// A message is held as its score, a blank, and the member of the sorted set.
    static let sortedSet = DeliveryScripts(
        pop: """
            local flat, out = redis.call('ZPOPMIN', KEYS[1], n), {}
            for i = 1, #flat, 2 do out[#out + 1] = flat[i + 1] .. ' ' .. flat[i] end
            return out
            """,
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
        while #out < count do
            local v = redis.call('RPOP', KEYS[5])
            if not v then break end
            redis.call('HSET', KEYS[2], first + #out, v)
            out[#out + 1] = v
        end
        while #out < count do
            local wanted = math.min(count - #out, 1000)
            local fresh = pop(wanted)
            if #fresh == 0 then break end
            local pairs = {}
            for i, v in ipairs(fresh) do
                pairs[2 * i - 1] = first + #out
                pairs[2 * i] = v
                out[#out + 1] = v
            end
            redis.call('HSET', KEYS[2], unpack(pairs))
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
        for i = #ARGV, 2, -1 do
            local v = redis.call('HGET', KEYS[2], ARGV[i])
            if v then
                redis.call('HDEL', KEYS[2], ARGV[i], '!' .. ARGV[i])
                back(v)
            end
        end
        return 1
        """

    private static let endBody = """
        local beat = redis.call('HGET', KEYS[3], ARGV[1])
        if ARGV[2] ~= '' and beat ~= ARGV[2] then return -1 end
        redis.call('HDEL', KEYS[3], ARGV[1])
        for _, lock in ipairs(redis.call('SMEMBERS', KEYS[6])) do
            if ARGV[4] == 'hash' then redis.call('HDEL', KEYS[7], lock) else redis.call('DEL', lock) end
        end
        redis.call('DEL', KEYS[6])
        local moved = 0
        local function count(v, hasStarted)
            moved = moved + 1
            if ARGV[3] == '1' then
                local id = redis.sha1hex(v)
                redis.call('HINCRBY', KEYS[4], id, 1)
                if hasStarted then redis.call('HINCRBY', KEYS[4], id .. '!', 1) end
            end
        end
        local v = redis.call('LPOP', KEYS[5])
        while v do
            back(v)
            count(v, false)
            v = redis.call('LPOP', KEYS[5])
        end
        local order, held = {}, {}
        local flat = redis.call('HGETALL', KEYS[2])
        for i = 1, #flat, 2 do
            held[flat[i]] = flat[i + 1]
            local number = tonumber(flat[i])
            if number then order[#order + 1] = number end
        end
        table.sort(order, function(a, b) return a > b end)
        for _, number in ipairs(order) do
            local field = string.format('%.0f', number)
            back(held[field])
            count(held[field], held['!' .. field])
        end
        redis.call('DEL', KEYS[2])
        if ARGV[3] == '1' and moved > 0 then redis.call('EXPIRE', KEYS[4], 604800) end
        if ARGV[5] == '1' then
            redis.call('ZADD', KEYS[8], redis.call('TIME')[1], ARGV[1])
            redis.call('EXPIRE', KEYS[8], 2592000)
        end
        return moved
        """

    /// KEYS: beats, held, deaths. ARGV: life, number, how many numbers of messages, how many of those were delivered before, those numbers
    /// (the latter last), and commands. Answers 1; 0 for a repeated number; -1 when the life is over.
    ///
    /// The acknowledgement comes last: Redis does not roll back.
    static let commit = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
        local done = redis.call('HGET', KEYS[2], 'c')
        if done and tonumber(done) >= tonumber(ARGV[2]) then return 0 end
        redis.call('HDEL', KEYS[2], '')
        local count, again = tonumber(ARGV[3]), tonumber(ARGV[4])
        local n = 5 + count
        while n <= #ARGV do
            local words = tonumber(ARGV[n])
            redis.call(unpack(ARGV, n + 1, n + words))
            n = n + words + 1
        end
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

    /// KEYS: beats, held, deaths. ARGV: life, the message's number, the chord's size, and commands: whether the member was counted, the counter's
    /// value, and those that count it. Answers 1 when it is counted and acknowledged, 2 when it is the last and nothing was written.
    static let count = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
        local v = redis.call('HGET', KEYS[2], ARGV[2])
        if not v then return 1 end
        local n = 4
        local function run()
            local words = tonumber(ARGV[n])
            local reply = redis.call(unpack(ARGV, n + 1, n + words))
            n = n + words + 1
            return reply
        end
        local isCounted, counted = run(), tonumber(run() or '0')
        if isCounted == 0 then
            if counted + 1 >= tonumber(ARGV[3]) then return 2 end
            redis.call('HDEL', KEYS[2], '')
            while n <= #ARGV do run() end
        end
        redis.call('HDEL', KEYS[2], ARGV[2], '!' .. ARGV[2])
        if redis.call('EXISTS', KEYS[3]) == 1 then
            local id = redis.sha1hex(v)
            redis.call('HDEL', KEYS[3], id, id .. '!')
        end
        return 1
        """
    )

    /// KEYS: beats. ARGV: life, heartbeat. Begins a life.
    static let begin = RedisScript(
        """
        redis.call('HDEL', KEYS[1], '')
        return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        """
    )

    /// KEYS: beats. ARGV: life, heartbeat. Answers all heartbeats; -1 when the life is over.
    static let beat = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
        redis.call('HDEL', KEYS[1], '')
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        return redis.call('HGETALL', KEYS[1])
        """
    )

    /// KEYS: beats, held. ARGV: life, the message's number. Notes that its task starts.
    static let start = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
        if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return -1 end
        redis.call('HDEL', KEYS[2], '')
        redis.call('HSET', KEYS[2], '!' .. ARGV[2], 1)
        return 1
        """
    )

    /// KEYS: beats, locks. ARGV: life, the lock, whether that life must go on, and commands: the one that opens it, whose answer it is. A life
    /// that is over has lost its locks, and another may have taken them.
    static let unlock = RedisScript(
        """
        if ARGV[3] == '1' and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('SREM', KEYS[2], ARGV[2])
        return redis.call(unpack(ARGV, 5, 4 + tonumber(ARGV[4])))
        """
    )

    /// KEYS: beats, locks. ARGV: life, the lock, and commands: the one that takes it. Answers 1 when it was free; it is on record then. A
    /// life that is over takes none: nobody would open it.
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
