import EduMFAQueue
import Foundation
import Huey
import HueyConsumer
import HueyRedis
import Logging
import Pickle
import Redis
import SMTP
import Synchronization

/// A real worker on a server of its own queue: a consumer with tasks for every kind of argument, and eduMFA's mail job with a server that
/// is made up.
final class FuzzRig: Sendable {
    let name: String
    let huey: Huey
    let storage: RedisStorage
    let client: RedisClient
    let compression: Compression?
    let hasPriorities: Bool
    /// The connection's thread.
    let thread: Int
    private let fences = Fences()
    private let consumer: Consumer
    private let running: Task<Void, any Error>

    init(
        _ name: String,
        url: String,
        _ kind: RedisStorageKind,
        _ delivery: DeliveryGuarantee,
        _ compression: Compression?
    ) async throws {
        self.name = name
        self.compression = compression
        hasPriorities = kind == .priorityRedis || kind == .priorityRedisExpire
        // Every line is made, and goes nowhere.
        let output = LogOutput(path: ProcessInfo.processInfo.environment["FUZZ_LOG"] ?? "/dev/null") ?? .standardError
        let logger = Logger(label: "fuzz") { HueyLogHandler(label: $0, logLevel: .debug, output: output) }
        client = RedisClient(try RedisConfiguration(url: url), logger: logger)
        let unbound = RedisStorage(client: client, options: RedisStorageOptions(kind: kind), logger: logger)
        guard let storage = unbound.bound(to: name) as? RedisStorage else { throw Stuck() }
        self.storage = storage
        var serializer = PickleSerializer()
        serializer.compression = compression
        huey = Huey(
            name,
            storage: storage,
            serializer: serializer,
            options: HueyOptions(storeNone: true),
            logger: logger
        )
        Self.register(on: huey, fences)
        MailTask(
            mailer: Mailer(transport: MadeUpServer(), passwords: .unavailable("none")),
            policy: MailPolicy(),
            ledger: RedisMailLedger(client: client, name: name),
            watch: MailWatch(),
            logger: logger
        ).register(on: huey, as: "fuzz.mail")
        var options = ConsumerOptions()
        options.workers = 2
        options.delivery = delivery
        options.periodic = false
        let (ready, isReady) = AsyncStream<Void>.makeStream()
        let consumer = Consumer(huey, options: options, logger: logger) { isReady.finish() }
        self.consumer = consumer
        running = Task { try await consumer.run() }
        for await _ in ready {}
        thread = await Task(executorPreference: client.executor) { Meter.currentThread }.value
    }

    private static func register(on huey: Huey, _ fences: Fences) {
        huey.task("fuzz.echo", parameters: .variadic("args"), .keywords("kwargs")) {
            (args: PickleView, kwargs: PickleView) in
            PickleValue.tuple([.view(args), .view(kwargs)])
        }
        huey.contextTask("fuzz.fail", parameters: .variadic("args"), .keywords("kwargs")) {
            (_: TaskContext, args: PickleView, _: PickleView) -> Bool in
            if args.elements?.count == 2 { throw RetryTask("again") }
            throw PickleException.builtin("ValueError", args.repr(limit: 10_000))
        }
        huey.task(
            "fuzz.typed",
            parameters: "a",
            .optional("b", .none),
            .optional("c", .none),
            .optional("d", .none)
        ) { (a: PickleView, b: PickleView, c: PickleView, d: PickleView) in
            [a, b, c, d].reduce(0) { $0 + Conversions.count(of: $1) }
        }
        huey.task("fuzz.times", parameters: .optional("a", .none), .optional("b", .none)) { (a: Date?, b: Duration?) in
            (a?.timeIntervalSince1970 ?? 0) + Double((b ?? .zero).components.seconds)
        }
        huey.task("fuzz.sum", parameters: .variadic("args"), .keywords("kwargs")) { (args: PickleView, _: PickleView) in
            args.elements?.count ?? 0
        }
        huey.task("fuzz.report", parameters: .variadic("args"), .keywords("kwargs")) {
            (args: PickleView, _: PickleView) in
            args.repr(limit: 1000)
        }
        huey.task("fuzz.fence", parameters: "number") { (number: Int) in fences.reach(number) }
    }

    /// Waits until everything before now has been run.
    ///
    /// - Throws: ``Stuck`` after a minute.
    func settle() async throws {
        let number = fences.next()
        // The last of everything where there are priorities.
        let data = try huey.serialize(
            Message(id: "fence-\(number)", name: "fuzz.fence", arguments: TaskArguments([number]))
        )
        try await storage.enqueue(data, priority: hasPriorities ? -.greatestFiniteMagnitude : nil)
        try await fences.wait(for: number)
    }

    /// Forgets everything that inputs have left behind.
    func clear() async throws {
        for kind in ["schedule", "results", "counters"] {
            try await client.command("DEL", .init("huey.\(kind).\(name)"))
        }
        for kind in ["dead", "deaths"] { try await client.command("DEL", .init("huey.swift.\(kind).\(name)")) }
    }

    func stop() async throws {
        consumer.stop(.graceful)
        try await running.value
        await huey.storage.close()
    }
}

/// A worker that did not get to the end of an input.
struct Stuck: Error {}

/// Tasks that tell that everything before them is done.
private final class Fences: Sendable {
    private struct State {
        var last = 0
        var reached = 0
        var waiter: AsyncStream<Void>.Continuation?
    }
    private let state = Mutex(State())

    func next() -> Int {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    func reach(_ number: Int) {
        state.withLock { state in
            state.reached = max(state.reached, number)
            state.waiter?.finish()
        }
    }

    func wait(for number: Int) async throws {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let isReached = state.withLock { state in
            state.waiter = continuation
            return state.reached >= number
        }
        if isReached { return }
        let limit = Task {
            try await Task.sleep(for: .seconds(60))
            continuation.finish()
        }
        for await _ in stream {}
        limit.cancel()
        guard state.withLock({ $0.reached >= number }) else { throw Stuck() }
    }
}

/// A mail server that takes some mail, and refuses the rest in every way.
private struct MadeUpServer: MailTransport {
    func send(_ message: MailMessage, via access: MailAccess) throws(MailFailure) -> MailReceipt {
        switch message.content.count % 4 {
        case 0: throw MailFailure(.transient, "not now")
        case 1: throw MailFailure(.permanent, "never")
        default: return MailReceipt(code: 250, reply: "ok")
        }
    }
}

/// Every type that a handler may ask for.
private enum Conversions {
    static func count(of view: PickleView) -> Int {
        var count = 0
        func attempt(_ body: () throws -> Void) {
            do {
                try body()
                count += 1
            } catch {}
        }
        attempt { _ = try Date(pickle: view) }
        attempt { _ = try Duration(pickle: view) }
        attempt { _ = try PickleDateTime(pickle: view).utcOffset }
        attempt { _ = try PickleDate(pickle: view) }
        attempt { _ = try PickleTime(pickle: view) }
        attempt { _ = try UUID(pickle: view) }
        attempt { _ = try Decimal(pickle: view) }
        attempt { _ = try PickleDecimal(pickle: view).description }
        attempt { _ = try PickleFraction(pickle: view) }
        attempt { _ = try PickleComplex(pickle: view) }
        attempt { _ = try PickleArray(pickle: view) }
        attempt { _ = try Data(pickle: view) }
        attempt { _ = try Int(pickle: view) }
        attempt { _ = try Double(pickle: view) }
        attempt { _ = try String(pickle: view) }
        attempt { _ = try [PickleView](pickle: view) }
        attempt { _ = try [String: PickleView](pickle: view) }
        attempt { _ = try Set<Int>(pickle: view) }
        _ = PickleException(view)?.repr
        _ = view.repr(limit: 1000)
        _ = view.path
        _ = view.typeName
        return count
    }
}

extension FuzzRig {
    /// The words of a process of this machine that has ended, as a heartbeat has them.
    static let ended: String = {
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "-"
        let namespace = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? "-"
        return "\(boot.trimmingCharacters(in: .whitespacesAndNewlines)) \(namespace) 2147483646 1"
    }()
}
