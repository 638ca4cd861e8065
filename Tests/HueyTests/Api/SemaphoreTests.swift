import Foundation
import HueyRedis
import TestSupport
import Testing

@testable import Huey

/// Python's side of a semaphore named `sem`, by the class of huey's own helpers.
private final class PythonSemaphore {
    /// The Python that `interop/setup` makes.
    private static let python = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("interop/.env/venv/bin/python")

    static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: python.path) }

    private static let script = """
        import json, sys
        from huey import RedisHuey
        from huey.contrib.helpers import RedisSemaphore
        huey = RedisHuey('h', url=sys.argv[1])
        semaphore = RedisSemaphore(huey, 'sem', int(sys.argv[2]))
        semaphore.count = lambda: huey.storage.conn.zcard(semaphore.key)
        semaphore.score = lambda name: huey.storage.conn.zscore(semaphore.key, name)
        semaphore.holders = lambda: [name.decode() for name in huey.storage.conn.zrange(semaphore.key, 0, -1)]
        for line in sys.stdin:
            method, *arguments = line.split()
            print(json.dumps(getattr(semaphore, method)(*arguments)), flush=True)
        """

    private let process = Process()
    private let (input, output) = (Pipe(), Pipe())

    init(_ url: String, permits: Int) throws {
        process.executableURL = Self.python
        process.arguments = ["-c", Self.script, url, "\(permits)"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit { try? input.fileHandleForWriting.close() }

    /// What a method answers, as JSON.
    func call(_ method: String, _ argument: String = "") -> String {
        input.fileHandleForWriting.write(Data("\(method) \(argument)\n".utf8))
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            line += data
        }
        return String(decoding: line.dropLast(), as: UTF8.self)
    }
}

@Suite("A semaphore is one with Python's")
struct SemaphoreTests {
    private let server: PrivateRedis
    private let huey: Huey

    init() throws {
        server = try PrivateRedis()
        huey = Huey("h", storage: try RedisStorage(url: server.url()))
    }

    @Test("permits are counted, released and renewed together", .enabled(if: PythonSemaphore.isAvailable))
    func shared() async throws {
        let python = try PythonSemaphore(server.url(), permits: 2)
        let semaphore = huey.semaphore("sem", permits: 2)
        let ours = try #require(try await semaphore.acquire())
        let theirs = python.call("acquire").trimmingCharacters(in: ["\""])
        #expect(theirs.count == 36 && ours.count == 36)
        #expect(try await semaphore.acquire() == nil)
        #expect(python.call("acquire") == "null")
        // Who has a permit keeps it.
        #expect(try await semaphore.acquire(theirs) == theirs)
        #expect(python.call("acquire", ours) == "\"\(ours)\"")
        #expect(python.call("count") == "2")
        #expect(try await semaphore.renew(theirs))
        #expect(python.call("renew", ours) == "true")
        #expect(try await !semaphore.renew("nobody"))
        #expect(python.call("renew", "nobody") == "false")
        #expect(try await semaphore.release(theirs))
        #expect(python.call("release", theirs) == "0")
        #expect(python.call("release", ours) == "1")
        #expect(try await !semaphore.release(ours))
        #expect(python.call("count") == "0")
        await huey.close()
    }

    @Test("a permit is renewed while the body runs, and given back", .enabled(if: PythonSemaphore.isAvailable))
    func renewal() async throws {
        let python = try PythonSemaphore(server.url(), permits: 1)
        let semaphore = huey.semaphore("sem", timeout: .seconds(3))
        try await semaphore.withPermit {
            #expect(python.call("acquire") == "null")
            let holder = python.call("holders").filter { !"[]\"".contains($0) }
            let score = python.call("score", holder)
            while python.call("score", holder) == score { await Task.yield() }
            let error = await #expect(throws: TaskLocked.self) { try await semaphore.withPermit {} }
            #expect(error?.pythonException.summary.hasSuffix("unable to acquire lock sem") == true)
        }
        #expect(python.call("count") == "0")
        await huey.close()
    }

    @Test("what a cancelled task holds is given back")
    func cancelled() async throws {
        let huey = huey
        let semaphore = huey.semaphore("sem")
        let lock = huey.lock("lock")
        let held = Recorder<Bool>()
        let holder = Task {
            try await lock.withLock {
                try await semaphore.withPermit {
                    held.append(true)
                    try await Task.sleep(for: .seconds(600))
                }
            }
        }
        await held.wait(for: 1)
        #expect(try await semaphore.acquire() == nil)
        #expect(try await lock.isLocked())
        holder.cancel()
        await #expect(throws: CancellationError.self) { try await holder.value }
        #expect(try await semaphore.acquire() != nil)
        #expect(try await !lock.isLocked())
        await huey.close()
    }

    @Test("without Redis the first use says so")
    func withoutRedis() async throws {
        let semaphore = Huey(storage: MemoryStorage()).semaphore("sem")
        let error = await #expect(throws: HueyError.self) { try await semaphore.acquire() }
        #expect(error?.code == .invalidConfiguration)
    }
}
