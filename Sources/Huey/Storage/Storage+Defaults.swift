public import Pickle

extension Storage {
    public func bound(to name: String) -> any Storage { self }

    public var isBlocking: Bool { false }
    public var supportsPriority: Bool { true }

    public var executor: (any TaskExecutor)? { nil }

    public func close() async {}

    public func peekMany(_ keys: [String]) async throws -> [[UInt8]?] {
        var values: [[UInt8]?] = []
        for key in keys { values.append(try await peekData(key)) }
        return values
    }

    public func enqueue(contentsOf messages: [(data: [UInt8], priority: Double?)]) async throws {
        try await commit(messages.map { .enqueue($0.data, priority: $0.priority) })
    }

    public func peekRevocations(ofTasks ids: TaskIDs, named names: [String]) async throws -> [Int: [UInt8]] {
        let keys = ids.strings.map(Message.revocationKey) + names.map(Huey.revocationKey(task:))
        var found: [Int: [UInt8]] = [:]
        for (index, value) in try await peekMany(keys).enumerated() { found[index] = value }
        return found
    }

    public func deleteData(_ key: String) async throws -> Bool { try await popData(key) != nil }

    public func waitResult(
        _ key: String,
        timeout: Duration?,
        backoff: Double,
        maxDelay: Duration
    ) async throws -> Bool {
        try await pollResult(key, timeout: timeout, backoff: backoff, maxDelay: maxDelay)
    }

    public func awaitData(
        _ key: String,
        preserve: Bool,
        timeout: Duration?,
        backoff: Double,
        maxDelay: Duration
    ) async throws -> [UInt8]? {
        func read() async throws -> [UInt8]? { preserve ? try await peekData(key) : try await popData(key) }
        if let data = try await read() { return data }
        let came = try await waitResult(key, timeout: timeout, backoff: backoff, maxDelay: maxDelay)
        return came ? try await read() : nil
    }

    /// Waits by polling with huey's exponential backoff, beginning at 50 ms.
    package func pollResult(
        _ key: String,
        timeout: Duration?,
        backoff: Double,
        maxDelay: Duration
    ) async throws -> Bool {
        let clock = ContinuousClock()
        let deadline = timeout.map { clock.now.advanced(by: $0) }
        var delay = Duration.milliseconds(50)
        while true {
            if try await hasData(forKey: key) { return true }
            var pause = min(delay, maxDelay)
            if let deadline {
                let left = clock.now.duration(to: deadline)
                if left <= .zero { return false }
                pause = min(pause, left)
            }
            try await Task.sleep(for: pause, clock: clock)
            delay = delay.grown(by: backoff, atMost: maxDelay)
        }
    }

    /// Removes everything. Mirrors `flush_all`.
    public func flushAll() async throws {
        try await flushQueue()
        try await flushSchedule()
        try await flushResults()
        try await flushCounters()
    }

    public func ping() async throws { _ = try await queueSize() }

    public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        if isBlocking {
            // It would wait for each of them.
            guard count > 0, wait > .zero, let data = try await dequeue() else { return [] }
            return [Delivery(data: data)]
        }
        var deliveries: [Delivery] = []
        while deliveries.count < count, let data = try await dequeue() {
            deliveries.append(Delivery(data: data))
        }
        return deliveries
    }

    public func interruptDequeue() async {}

    public func commit(_ effects: [StorageEffect]) async throws {
        for effect in effects {
            switch effect {
            case .put(let value, let key, let isResult):
                try await putData(value, forKey: key, isResult: isResult)
            case .complete(let tasks):
                try await commit(tasks.effects)
            case .delete(let key):
                _ = try await deleteData(key)
            case .deleteCounter(let key):
                try await deleteCounter(key)
            case .enqueue(let data, let priority):
                try await enqueue(data, priority: priority)
            case .schedule(let data, let moment):
                try await addToSchedule(data, at: moment)
            case .bury(let letter):
                try await bury(letter)
            case .releaseUnique(let digest, let id):
                try await (self as? any UniqueStorage)?.releaseUnique(digest, id: id)
            }
        }
    }

    public func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int {
        let due = try await readSchedule(dueAt: moment)
        for (index, data) in due.enumerated() {
            do { try await commit(try await transform(data)) } catch {
                // They are out of the schedule already.
                for data in due[index...] { try await addToSchedule(data, at: moment) }
                throw error
            }
        }
        return due.count
    }

    public func bury(_ letter: DeadLetter) async throws {
        var writer = PickleWriter()
        try letter.encode(to: &writer)
        let data = try writer.finish()
        // Several may be put aside within a microsecond.
        var time = letter.time
        while try await !putIfEmpty(data, forKey: "huey.swift.dead.\(time)", ttl: nil) { time &+= 1 }
    }
}

extension DeadLetter: PickleCodable {
    public init(pickle view: PickleView) throws {
        guard let reason = view["reason"]?.string.flatMap(Reason.init(rawValue:)), let data = view["message"]?.bytes
        else { throw HueyError.malformedMessage("a dead letter that is none") }
        self.init(
            data: data,
            reason: reason,
            detail: view["detail"]?.string ?? "",
            time: Int(exactly: ((view["time"]?.double ?? 0) * 1e6).rounded()) ?? 0
        )
    }

    /// A plain dict, so that Python's operators can read it too.
    public func encode(to writer: inout PickleWriter) throws {
        writer.writeDict(count: 4) { writer in
            writer.write("reason")
            writer.write(reason.rawValue)
            writer.write("detail")
            writer.write(detail)
            writer.write("time")
            writer.write(Double(time) / 1e6)
            writer.write("message")
            writer.write(bytes: data)
        }
    }
}
