import BigInt
import Pickle
import TestSupport
import Testing

@testable import Huey

/// What a stranger who can write to the queue may send: nothing ends a worker, and nothing costs more than it should.
@Suite("Hostile messages", .timeLimit(.minutes(5)))
struct HostileMessageTests {
    private static let name = PickleGlobal(module: "huey.registry", name: "Message")

    /// A message of fifteen fields for `tasks.add(1, 2)`, some of them replaced.
    private static func message(_ fields: [Int: PickleValue] = [:]) throws -> [UInt8] {
        var all: [PickleValue] = [
            "id", "tasks.add", nil, 0, 0, nil, .tuple([1, 2]), [:], nil, nil, nil, nil, nil, nil, nil,
        ]
        for (index, value) in fields { all[index] = value }
        return try PickleValue.newObject(name, all, state: nil).pickled()
    }

    private static func timedelta(_ days: Int) -> PickleValue { .call("datetime", "timedelta", [.int(days), 0, 0]) }

    private static let due = PickleValue.call("datetime", "datetime", [2020, 1, 1, 0, 0])

    /// A moment in a zone that Python does not know.
    private static func moment(zone days: Int) -> PickleValue {
        .call("datetime", "datetime", [2026, 1, 1, 0, 0, 0, 0, .call("datetime", "timezone", [timedelta(days)])])
    }

    private static let impossible: [(String, [Int: PickleValue])] = [
        ("expires beyond every timedelta", [10: timedelta((1 << 50) - 1)]),
        ("expires before every timedelta", [10: timedelta(-(1 << 50) + 1)]),
        ("expires just beyond", [10: timedelta(1_000_000_000)]),
        ("expires of the largest ints", [10: .call("datetime", "timedelta", [.int(.max), .int(.max), .int(.max)])]),
        ("expires in a zone that is none", [10: moment(zone: (1 << 50) - 1)]),
        ("expires in a zone of a day", [10: moment(zone: 1)]),
        ("expires on no day", [10: .call("datetime", "datetime", [2026, 2, 30])]),
        ("eta in the year 0", [2: .call("datetime", "datetime", [0, 1, 1])]),
        ("eta in the year 65535", [2: .call("datetime", "datetime", [.bytes([0xFF, 0xFF, 1, 1, 0, 0, 0, 0, 0, 0])])]),
        ("eta in a zone", [2: moment(zone: -(1 << 50) + 1)]),
        ("expires resolved to no moment", [11: .call("datetime", "datetime", [.int(.max), .int(.min), 1])]),
    ]

    @Test(
        "a time that Python does not know makes a dead letter, on the queue and in the schedule",
        arguments: impossible.indices
    )
    func impossibleTimes(_ index: Int) async throws {
        let (name, fields) = Self.impossible[index]
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let data = try Self.message(fields)
        try await worker.storage.enqueue(data, priority: nil)
        try await worker.storage.addToSchedule(data, at: PickleDateTime(year: 2020, month: 1, day: 1))
        try await worker.storage.addToSchedule(
            Self.message([2: Self.due]),
            at: PickleDateTime(year: 2020, month: 1, day: 1)
        )
        try await worker.promote()
        #expect(try await worker.drain() == 2, "\(name)")
        #expect(worker.storage.deadLetters.map(\.reason) == [.undecodable, .undecodable], "\(name)")
        #expect(try await worker.counts().results == 1)
        _ = try await worker.huey.pending()
        _ = try await worker.huey.scheduled()
    }

    @Test(
        "numbers at the ends of their types end no worker",
        arguments: [
            .int(.max), .int(.min), .float(.infinity), .float(-.infinity), .float(.nan), .float(1e308),
            .bigInt(BigInt(1) << 4000),
        ]
            as [PickleValue]
    )
    func extremeNumbers(_ number: PickleValue) async throws {
        for field in [3, 4, 5, 10, 12, 14] {
            let worker = Worker()
            worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) -> Int in
                throw RetryTask(start: nil)
            }
            let data = try Self.message(field == 3 ? [3: number] : [field: number, 3: 2])
            try await worker.storage.enqueue(data, priority: nil)
            for _ in 0..<3 {
                guard let data = try await worker.huey.storage.dequeue() else { break }
                try await worker.executor.run(Delivery(data: data))
            }
            _ = try worker.huey.deserialize(data).summary
            for data in try await worker.storage.scheduledItems(limit: nil) {
                _ = await worker.huey.promoted(data, logger: worker.logger)
            }
        }
    }

    @Test("naive and aware moments at the ends of time are compared and moved without a trap")
    func endsOfTime() throws {
        for year in [Int.min, 1, 9999, 10_000, Int.max] {
            for zone in [nil, PickleTimeZone.fixed(.seconds(Int64.min)), .fixed(.seconds(Int64.max)), .utc] {
                var moment = PickleDateTime(year: year, month: 12, day: 31, hour: 23, minute: 59, second: 59)
                moment.tzinfo = zone?.value
                _ = moment.isNotAfter(PickleDateTime(year: 1, month: 1, day: 1))
                _ = moment.naiveMicroseconds
                for utc in [true, false] { _ = try? moment.normalized(utc: utc) }
                for micros in [Int.min, Int.max] { _ = try? moment.adding(microseconds: micros) }
                for seconds in [Double.infinity, -1e300, 1e300, .nan] { _ = try? moment.adding(seconds: seconds) }
                _ = try? moment.redisScore()
                _ = try? moment.pythonTimestamp()
            }
        }
        #expect(Duration.seconds(Int64.max).wholeMicroseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeMicroseconds == .min)
        for micros in [Int.min, Int.max] {
            #expect(
                PickleDateTime.now(TimeSource { micros }, utc: false) == PickleDateTime(year: 1970, month: 1, day: 1)
            )
        }
        #expect(try PythonNumber.int(.min).flooredDivision(by: .int(-1)) == .float(9_223_372_036_854_775_808))
    }

    @Test("a pause that grows for hours does not overflow")
    func growingPause() {
        var pause = Duration.milliseconds(50)
        for _ in 0..<2000 { pause = pause.grown(by: 1.15, atMost: .seconds(1)) }
        #expect(pause == .seconds(1))
        for factor in [Double.infinity, 1e300] { #expect(pause.grown(by: factor, atMost: .seconds(2)) == .seconds(2)) }
        #expect(pause.grown(by: -5, atMost: .seconds(2)) == .zero)
        #expect(pause.grown(by: .nan, atMost: .seconds(2)) == .seconds(2))
    }

    @Test("a counter at its end stays there")
    func counters() async throws {
        let storage = MemoryStorage()
        #expect(try await storage.increment("c", by: .max) == .max)
        #expect(try await storage.increment("c", by: 1) == .max)
        #expect(try await storage.increment("c", by: .min) == -1)
        #expect(try await storage.increment("c", by: .min) == .min)
    }

    // MARK: claims

    @Test("a chord's size is a claim until so many members are counted", arguments: [1 << 62, .max, .min, 0, -1])
    func chordSize(_ size: Int) async throws {
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let callback = PickleValue.newObject(
            Self.name,
            ["cb", "tasks.add", nil, 0, 0, nil, .tuple([]), [:], nil, nil],
            state: nil
        )
        let data = try Self.message([13: .tuple(["c", .int(size), 0, callback])])
        try await worker.storage.enqueue(data, priority: nil)
        try await worker.drain()
        #expect(worker.storage.deadLetters.isEmpty)
        #expect(try await worker.storage.peekData("chord:c:0") != nil)
        // Somebody else has written the counter.
        if size > 1 {
            _ = try await worker.storage.increment("chord:c", by: size - 2)
            try await worker.storage.enqueue(data, priority: nil)
            try await worker.drain()
            #expect(worker.storage.deadLetters.map(\.reason) == [.unwritable])
        }
    }

    @Test("a chord of many members has all their results")
    func manyMembers() async throws {
        let worker = Worker()
        let one = worker.huey.task("tasks.one", parameters: "a") { (a: Int) in a }
        let sum = worker.huey.task("tasks.sum", parameters: "all") { (all: [Int]) in all.reduce(0, +) }
        let remote = worker.huey.remoteTask("tasks.sum", returning: Int.self)
        let result = try await worker.huey.enqueue(Chord(try (0..<700).map { try one.s($0) }, callback: remote.s()))
        try await worker.drain()
        #expect(try await result.callback[0].value() == .int(699 * 350))
        #expect(try await !worker.storage.resultItems().keys.contains { $0.hasPrefix("chord:") })
        _ = sum
    }

    // MARK: costs

    /// A message whose `on_complete` and `on_error` are one object, so many levels deep.
    private static func shared(_ levels: Int, id: String = "id") throws -> [UInt8] {
        var bytes: [UInt8] = [0x80, 4]
        func text(_ text: String) {
            bytes += [0x58] + withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
        }
        text("huey.registry")
        text("Message")
        bytes += [0x93, 0x94]
        text(id)
        bytes += [0x94]
        // Memo: 0 the class, 1 the id, then a message for each level.
        for level in 0...levels {
            bytes += [0x68, 0, 0x28, 0x68, 1]
            text("tasks.add")
            bytes += [0x4E, 0x4B, 0, 0x4B, 0, 0x4E, 0x4B, 1, 0x4B, 2, 0x86, 0x7D]
            bytes += level == 0 ? [0x4E, 0x4E] : [0x68, UInt8(level + 1), 0x68, UInt8(level + 1)]
            bytes += [0x74, 0x81, 0x94]
        }
        return bytes + [0x2E]
    }

    @Test("messages in a message are counted as often as they are referred to")
    func sharedMessages() async throws {
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        for levels in [60, 19, 9, 14] {
            try await worker.storage.enqueue(Self.shared(levels), priority: nil)
            try await worker.drain()
        }
        #expect(worker.storage.deadLetters.map(\.reason) == [.undecodable, .undecodable, .undecodable, .undecodable])
        #expect(worker.storage.deadLetters.last?.detail == "more than 1000 messages in one message")
        #expect(!worker.log.all.contains { $0.utf8.count > 3000 })
        // Fewer run as always.
        let message = try worker.huey.deserialize(Self.shared(7))
        #expect(message.summary.utf8.count < 2010)
        #expect(throws: HueyError.self) {
            try worker.huey.deserialize(Self.shared(5, id: String(repeating: "x", count: 100_000)))
        }
    }

    @Test("a summary and what errors quote are bounded, whatever is in the message")
    func summaries() async throws {
        let worker = Worker()
        let long = String(repeating: "n", count: 300_000)
        let data = try Self.message([0: .string(long), 1: .string(long)])
        try await worker.storage.enqueue(data, priority: nil)
        try await worker.drain()
        #expect(worker.storage.deadLetters.map(\.reason) == [.unknownTask])
        #expect(worker.storage.deadLetters.allSatisfy { $0.detail.utf8.count < 500 })
        let stranger = PickleValue.newObject(PickleGlobal(module: long, name: long), [], state: nil)
        try await worker.storage.enqueue(stranger.pickled(), priority: nil)
        try await worker.storage.enqueue(Self.message([2: stranger]), priority: nil)
        try await worker.drain()
        #expect(worker.storage.deadLetters.allSatisfy { $0.detail.utf8.count < 500 })
        #expect(!worker.log.all.contains { $0.utf8.count > 3000 })
        #expect("äöü".bounded(3) == "ä…")
        #expect("äöü".bounded(6) == "äöü")
        #expect("".bounded(0) == "")
    }

    @Test("an id that is an int of many digits is refused at once, one of few is the key that it prints as")
    func integerID() async throws {
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        try await worker.storage.enqueue(Self.message([0: .bigInt(BigInt(1) << 2_000_000)]), priority: nil)
        try await worker.storage.enqueue(Self.message([0: .bigInt(BigInt(1) << 70)]), priority: nil)
        try await worker.drain()
        #expect(worker.storage.deadLetters.map(\.reason) == [.undecodable])
        #expect(try await worker.storage.peekData("1180591620717411303424") != nil)
    }

    @Test("a message may have 16 MiB, before compression and after decompression")
    func size() async throws {
        for compression in [nil, Compression.gzip, .zlib] {
            let serializer = PickleSerializer(compression: compression)
            let storage = MemoryStorage()
            let huey = Huey("h", storage: storage, serializer: serializer)
            huey.task("tasks.size", parameters: "a") { (a: PickleBytes) in a.bytes.count }
            let large = PickleValue.bytes(Array(repeating: 0, count: 1 << 24))
            let remote = huey.remoteTask("tasks.size", returning: Int.self)
            await #expect(throws: HueyError.self) { try await remote(large) }
            let generous = Huey(
                "h",
                storage: storage,
                serializer: serializer,
                options: HueyOptions(maximumMessageSize: 1 << 25)
            )
            let refused = try await generous.remoteTask("tasks.size", returning: Int.self)(large)
            let accepted = try await remote(PickleValue.bytes(Array(repeating: 0, count: 16_000_000)))
            let executor = Executor(
                huey: huey,
                sink: DirectSink(storage: storage),
                inFlight: InFlight(),
                logger: huey.logger
            )
            while let data = try await storage.dequeue() { try await executor.run(Delivery(data: data)) }
            #expect(storage.deadLetters.map(\.reason) == [.undecodable])
            #expect(try await accepted.value() == 16_000_000)
            #expect(try await refused.peek() == nil)
        }
    }

    @Test("small messages are decoded ahead of their turn, large ones by whoever runs them, and all of them run")
    func large() async throws {
        let serializer = PickleSerializer(compression: .gzip)
        let storage = MemoryStorage()
        let huey = Huey("h", storage: storage, serializer: serializer)
        huey.task("tasks.size", parameters: "a") { (a: PickleBytes) in a.bytes.count }
        let remote = huey.remoteTask("tasks.size", returning: Int.self)
        for count in [10, 1_000_000, 20] { _ = try await remote(PickleValue.bytes(Array(repeating: 0, count: count))) }
        let deliveries = try await storage.dequeue(upTo: 10, wait: .zero)
        let block = MessageBlock(huey, deliveries)
        await block.lookAtRevocations()
        #expect(deliveries.indices.map { block.keptView(at: $0) != nil } == [true, false, true])
        let executor = Executor(
            huey: huey,
            sink: DirectSink(storage: storage),
            inFlight: InFlight(),
            logger: huey.logger
        )
        while let place = block.claim() { try await executor.run(block, place) }
        #expect(try await huey.resultCount() == 3)
    }

    @Test("large messages share the memory that there is, and nobody waits for ever")
    func memory() async throws {
        let memory = DecodingMemory()
        try await memory.take(1 << 40)
        try await memory.take(1 << 20, patience: .milliseconds(10))
        memory.giveBack(1 << 40)
        memory.giveBack(1 << 20)
        try await memory.take(1 << 27)
        let waiting = Task { try await memory.take(1) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        memory.giveBack(1 << 27)
        try await memory.take(1)
    }

    @Test("a gzip of many members is read in linear time, and zeros behind them")
    func members() throws {
        let member = try Compression.gzip.compress([7])
        let data = Array(repeatElement(member, count: 20_000).joined()) + Array(repeating: 0, count: 500)
        let count = try Compression.gzip.decompress(data, limit: 1 << 20).count
        #expect(count == 20_000)
        #expect(throws: HueyError.self) { try Compression.gzip.decompress(data, limit: 19_999) }
        #expect(throws: HueyError.self) { try Compression.gzip.decompress(data + [1], limit: 1 << 20) }
        let cut = Array(try Compression.zlib.compress([1, 2]).dropLast())
        #expect(throws: HueyError.self) { try Compression.zlib.decompress(cut, limit: 100) }
        let empty = try Compression.gzip.compress([])
        #expect(try Compression.gzip.decompress(empty, limit: 0) == [])
    }

    @Test("arguments that are handed on stay where they are, and follow those of the wire")
    func handedOn() throws {
        let document = try PickleDocument(PickleValue.tuple([.tuple([1, 2]), ["k": 3]]).pickled())
        var arguments = TaskArguments(args: try #require(document.root[0]), kwargs: try #require(document.root[1]))
        try arguments.append(PickleValue.int(4))
        try arguments.extend(with: PickleDocument(PickleValue.dict(["k": 9, "l": 5]).pickled()).root)
        try arguments.extend(with: PickleDocument(PickleValue.tuple([6]).pickled()).root)
        #expect(arguments.positionalCount == 4)
        let views = try arguments.views()
        #expect(views.args.repr == "(1, 2, 4, 6)")
        #expect(views.kwargs.repr == "{'k': 3, 'l': 5}")
    }

    @Test("the stored error of a pipeline is bounded for each of its tasks")
    func errors() async throws {
        let worker = Worker()
        worker.huey.task("tasks.fail", parameters: "a") { (a: String) -> Int in
            throw PickleException.builtin("ValueError", a)
        }
        let remote = worker.huey.remoteTask("tasks.fail", returning: Int.self)
        var message = try remote.s(String(repeating: "x", count: 1_000_000))
        for _ in 0..<20 { message = message.then(try remote.s()) }
        try await worker.huey.enqueue(message)
        try await worker.drain()
        let results = try await worker.storage.resultItems()
        #expect(results.count == 21)
        #expect(results.values.allSatisfy { $0.count < 200_000 })
    }
}
