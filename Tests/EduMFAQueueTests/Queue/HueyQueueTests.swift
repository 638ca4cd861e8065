import Huey
import HueyRedis
import Logging
import Pickle
import Redis
import TestSupport
import Testing

@testable import EduMFAQueue

/// eduMFA's queue on huey: what the options mean, and what stands on Redis then.
struct HueyQueueTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("a job goes on the queue under Python's name, and leaves no result")
    func enqueues() async throws {
        let redis = try PrivateRedis()
        let queue = try HueyQueue(options: ["url": .string(redis.url()), "name": "edu-Q"], logger: logger)
        try queue.registerJob(Job("smtpserver.send_email", module: "edumfa.lib.smtpserver"))
        try await queue.enqueue("smtpserver.send_email", TaskArguments(["x"]))
        let client = RedisClient(try RedisConfiguration(url: redis.url()))
        let reply = try await client.command("LRANGE", "huey.redis.eduQ", 0, -1)
        let data = try #require(reply.elements?.first?.bytes)
        let message = try queue.huey.deserialize(data)
        #expect(message.name == "edumfa.lib.smtpserver.smtpserver.send_email")
        #expect(!queue.huey.options.results)
        await queue.close()
        await client.shutdown()
    }

    @Test("a job of a taken name and a job that nobody knows are errors")
    func errors() async throws {
        let queue = try HueyQueue(options: [:], logger: logger)
        try queue.registerJob(Job("a", module: "m"))
        #expect(throws: QueueError("Job function 'a' already exists")) { try queue.registerJob(Job("a", module: "n")) }
        await #expect(throws: QueueError("Unknown job: 'b'")) { try await queue.enqueue("b", TaskArguments()) }
        await queue.close()
    }

    @Test("in immediate mode the job runs at once, without Redis")
    func immediate() async throws {
        let calls = Recorder<String>()
        let queue = try HueyQueue(options: ["immediate": true, "port": 1], logger: logger)
        try queue.registerJob(Job("a", module: "m", parameters: ["x"]) { (x: String) in calls.append(x) })
        try await queue.enqueue("a", TaskArguments(["now"]))
        #expect(calls.all == ["now"])
        await queue.close()
    }

    @Test("the parts of an address are redis-py's keywords")
    func address() throws {
        let options = try HueyQueueOptions([
            "host": "redis.example", "port": "6380", "db": 2, "username": "u", "password": .int(1234),
            "socket_timeout": 2.5, "socket_connect_timeout": 3, "retry_on_timeout": true,
        ])
        #expect(options.redis.description == "redis://u:***@redis.example:6380/2")
        #expect(options.redis.password == "1234")
        #expect(options.redis.commandTimeout == .seconds(2.5))
        #expect(options.redis.connectTimeout == .seconds(3))
        #expect(options.ignored == ["retry_on_timeout"])
    }

    @Test("None is nothing, and the rest has huey's defaults")
    func defaults() throws {
        let options = try HueyQueueOptions(["url": nil, "host": nil, "name": nil])
        #expect(options.name == "huey")
        #expect(options.redis.description == "redis://localhost:6379/0")
        #expect(options.storage.nameCleaning == .huey3)
        #expect(!options.huey.results && !options.huey.storeNone && options.huey.utc)
    }

    @Test(
        "options that make no queue are refused by name, and their values are not shown",
        arguments: [
            ["url": "redis://:secret@h", "host": "x"], ["colour": "secret"], ["port": "secret"], ["port": 0],
            ["db": -1],
            ["name": ["secret"]], ["results": true],
        ] as [[String: PickleValue]]
    )
    func refused(options: [String: PickleValue]) throws {
        let error = try #require(throws: QueueError.self) { try HueyQueueOptions(options) }
        #expect(!error.description.contains("secret"))
        #expect(options.keys.contains { error.description.contains("'\($0)'") })
    }

    @Test("compression, cleaning and names are passed on")
    func others() throws {
        let options = try HueyQueueOptions([
            "name": "My-Q", "compression": true, "use_zlib": true, "clean_name": false, "utc": false,
            "immediate": false, "always_eager": true,
        ])
        #expect(options.serializer.compression == .zlib)
        #expect(options.storage.nameCleaning == .off)
        #expect(!options.huey.utc)
        #expect(options.huey.immediate)
    }

    @Test(
        "how the name is cleaned can be told by huey's generation",
        arguments: [
            (PickleValue.int(2), NameCleaning.huey2), ("2", .huey2), (.int(3), .huey3), ("off", .off), (true, .huey3),
            (false, .off),
        ]
    )
    func cleaning(value: PickleValue, expected: NameCleaning) throws {
        #expect(try HueyQueueOptions(["clean_name": value]).storage.nameCleaning == expected)
    }
}
