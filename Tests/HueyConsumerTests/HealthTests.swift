import Foundation
import Huey
import Logging
import Synchronization
import TestSupport
import Testing

@testable import HueyConsumer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("A consumer's health", .timeLimit(.minutes(2)))
struct HealthTests {
    /// Keeps what it is given until it is told to run it.
    private final class HeldExecutor: TaskExecutor {
        private let state = Mutex<(isOpen: Bool, jobs: [UnownedJob])>((false, []))

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            let isOpen = state.withLock { state in
                if !state.isOpen { state.jobs.append(job) }
                return state.isOpen
            }
            if isOpen { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
        }

        func open() {
            let jobs = state.withLock { state in
                state.isOpen = true
                defer { state.jobs = [] }
                return state.jobs
            }
            for job in jobs { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
        }
    }

    private static func path() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("health-\(UUID().uuidString)").path
    }

    /// The status and the body that the port answers; nil when nobody listens.
    private static func ask(_ port: Int, _ request: String = "GET / HTTP/1.1\r\nHost: x\r\n\r\n") -> (Int, String)? {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        // Somebody else may have got the port, who does not answer.
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafeBytes(of: &address) { bytes in
            connect(socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        guard status == 0 else { return nil }
        _ = Array(request.utf8).withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        let text = String(decoding: answer, as: UTF8.self)
        let words = text.split(separator: " ", maxSplits: 2)
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0, text.components(separatedBy: "\r\n\r\n").last ?? "")
    }

    @Test("a part is stuck when it is not back in time, or ended before the stop")
    func liveness() async {
        let liveness = Liveness()
        let start = ContinuousClock.now
        #expect(liveness.stuck(now: start).isEmpty)
        liveness.expect(.fetch, within: .seconds(60), now: start)
        #expect(liveness.stuck(now: start.advanced(by: .seconds(59))).isEmpty)
        #expect(liveness.stuck(now: start.advanced(by: .seconds(61))) == [.fetch])
        liveness.isBack(.fetch)
        #expect(liveness.stuck(now: start.advanced(by: .seconds(3600))).isEmpty)
        await liveness.watch(.heartbeat) {}
        #expect(liveness.stuck(now: .now.advanced(by: .seconds(1))) == [.heartbeat])
        let stopping = Liveness()
        stopping.stop()
        await stopping.watch(.heartbeat) {}
        #expect(stopping.stuck(now: .now.advanced(by: .seconds(1))).isEmpty)
    }

    @Test("the port answers 200, 503 while an executor is kept, and 200 again; the file stands still meanwhile")
    func stuck() async throws {
        let log = CollectingLog.make()
        var options = ConsumerOptions()
        options.healthFile = Self.path()
        let path = try #require(options.healthFile)
        let executor = HeldExecutor()
        let liveness = Liveness()
        let watch = try await HealthWatch(
            options,
            liveness,
            log.logger,
            interval: .milliseconds(1),
            patience: .milliseconds(20)
        )
        let server = try await HealthServer(port: 0) { liveness.stuck().map(\.rawValue) }
        let port = try #require(server.port)
        #expect(try #require(Self.ask(port)) == (200, "ok\n"))
        let running = Task { await watch.run(probing: [(.connections, executor)]) }
        while Self.ask(port)?.0 != 503 { await Task.yield() }
        #expect(try #require(Self.ask(port)) == (503, "stuck: connections\n"))
        #expect(try #require(Self.ask(port, "HEAD /x HTTP/1.0\r\n\r\n")) == (503, ""))
        while !log.lines.all.contains(where: { $0.contains("does not move: connections") }) { await Task.yield() }
        try FileManager.default.removeItem(atPath: path)
        #expect(!FileManager.default.fileExists(atPath: path))
        executor.open()
        while Self.ask(port)?.0 != 200 || !FileManager.default.fileExists(atPath: path) { await Task.yield() }
        running.cancel()
        await running.value
        await watch.close()
        await server.close()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(Self.ask(port)?.1 != "ok\n")
    }

    @Test("a consumer is healthy while it runs and while it waits for its storage, and leaves nothing behind")
    func consumer() async throws {
        let storage = FlakyStorage()
        storage.failPings(3)
        let log = CollectingLog.make()
        var options = ConsumerOptions()
        options.initialDelay = .milliseconds(1)
        options.healthFile = Self.path()
        let path = try #require(options.healthFile)
        // None of those that the system gives to whoever asks for any.
        let port = Int.random(in: 20_000..<30_000)
        options.healthPort = port
        let ready = Recorder<Void>()
        let consumer = Consumer(
            Huey("h", storage: storage),
            options: options,
            logger: log.logger,
            onReady: { ready.append(()) }
        )
        let running = Task { try await consumer.run() }
        await ready.wait(for: 1)
        #expect(try #require(Self.ask(port)) == (200, "ok\n"))
        #expect(FileManager.default.fileExists(atPath: path))
        consumer.stop(.graceful)
        try await running.value
        #expect(Self.ask(port)?.1 != "ok\n")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("what cannot be had is an error at the start")
    func refused() async throws {
        func start(_ change: (inout ConsumerOptions) -> Void) async throws {
            var options = ConsumerOptions()
            change(&options)
            try await Consumer(Huey("h", storage: FlakyStorage()), options: options).run()
        }
        let taken = try await HealthServer(port: 0) { [] }
        let port = try #require(taken.port)
        let path = Self.path()
        try "something".write(toFile: path, atomically: true, encoding: .utf8)
        let changes: [@Sendable (inout ConsumerOptions) -> Void] = [
            { $0.healthPort = port }, { $0.healthPort = 0 }, { $0.healthPort = 70_000 },
            { $0.healthFile = path }, { $0.healthFile = "" }, { $0.healthFile = "/nowhere/file" },
            { $0.healthFile = NSTemporaryDirectory() },
        ]
        for change in changes {
            let error = await #expect(throws: HueyError.self) { try await start(change) }
            #expect(error?.code == .invalidConfiguration)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "something")
        try FileManager.default.removeItem(atPath: path)
        await taken.close()
    }
}
