import Redis

/// Scripts that are the same for every kind of queue.
extension DeliveryScripts {
    /// KEYS: heartbeats, held, deaths, alive. ARGV: session, number, how many numbers of messages, how many of those were delivered before, those numbers
    /// (the latter last), and commands. Answers 1; 0 for a repeated number; -1 when the session is over.
    ///
    /// The acknowledgement comes last: Redis does not roll back.
    static let commit = RedisScript(
        run + """
            if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 or redis.call('EXISTS', KEYS[4]) == 0 then return -1 end
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

    /// KEYS: heartbeats, held, deaths, alive, what is done of the message's batch. ARGV: session, the message's number, the chord's size, its index in
    /// its batch or 0, whether the server has lost it, and commands: whether the member was counted, the counter's value, and those that count it.
    /// Answers 1 when it is counted and acknowledged, 2 when it is the last and nothing was written.
    static let count = RedisScript(
        run + """
            if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 or redis.call('EXISTS', KEYS[4]) == 0 then return -1 end
            local v = redis.call('HGET', KEYS[2], ARGV[2])
            local isInBatch = ARGV[4] ~= '0' and redis.call('SISMEMBER', KEYS[5], ARGV[4]) == 0
            if not v and not isInBatch and ARGV[5] == '0' then return 1 end
            local n, isCounted, counted = 6
            n, isCounted = run(n)
            n, counted = run(n)
            if isCounted == 0 then
                local size = tonumber(ARGV[3])
                if size > 0 and (tonumber(counted or '0') or 0) + 1 >= size then return 2 end
                redis.call('HDEL', KEYS[2], '')
                while n <= #ARGV do n = run(n) end
            end
            redis.call('HDEL', KEYS[2], ARGV[2], '!' .. ARGV[2])
            if isInBatch then redis.call('SADD', KEYS[5], ARGV[4]) end
            if v and redis.call('EXISTS', KEYS[3]) == 1 then
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

    /// KEYS: heartbeats, sessions, kind, queue, alive, over, sessions with batches. ARGV: session, heartbeat, the kind of storage, the type of its queue, whether
    /// the session had begun before. Begins a session, or lets one go on of which the server has lost everything. Answers 1; -1 when others took over
    /// what it held; the kind or type that others use: what they hold must not be recovered in another form.
    static let begin = RedisScript(
        """
        if ARGV[5] == '1' then
            if redis.call('EXISTS', KEYS[6]) == 1 then return -1 end
            -- An earlier release that takes over removes the heartbeat alone.
            if redis.call('EXISTS', KEYS[5]) == 1 then return redis.call('HEXISTS', KEYS[1], ARGV[1]) * 2 - 1 end
        end
        local type = redis.call('TYPE', KEYS[4]).ok
        if type ~= 'none' and type ~= ARGV[4] then return type end
        local kind = redis.call('GET', KEYS[3])
        if kind and kind ~= ARGV[3] and redis.call('HLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]) + redis.call('SCARD', KEYS[7]) > 0 then
            return kind
        end
        redis.call('HDEL', KEYS[1], '')
        redis.call('SET', KEYS[3], ARGV[3])
        redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
        redis.call('SADD', KEYS[7], ARGV[1])
        redis.call('SET', KEYS[5], 1)
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        return 1
        """
    )

    /// KEYS: heartbeats, alive. ARGV: session, heartbeat. Answers all heartbeats; -1 when the session is over.
    static let heartbeat = RedisScript(
        """
        if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 or redis.call('EXISTS', KEYS[2]) == 0 then return -1 end
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
