public import Huey

/// Checks that a storage keeps what ``/Huey/Storage`` and the protocols beside it promise.
///
/// It needs no test framework: it can be run from Swift Testing, from XCTest or by a script.
///
/// ```swift
/// let conformance = StorageConformance { name in try MyStorage(path: "/tmp/\(name)") }
///
/// @Test(arguments: StorageConformance.checks)
/// func keepsItsPromises(check: StorageCheck) async throws { try await conformance.run(check) }
/// ```
public struct StorageConformance: Sendable {
    /// What a storage promises differently, where the contract leaves it a choice.
    public struct Choices: Sendable {
        /// Whether ``/Huey/Storage/popData(_:)`` removes the value. A storage whose results expire leaves it.
        public var popRemoves = true
        /// Whether one place holds several instances. A storage that belongs to one instance alone, such as a process's memory, has no other.
        public var hasNames = true
        /// How long a consumer's heartbeat must be gone until others take over what it held: the lease of the channels that are checked. Those
        /// checks take some times as long.
        public var lease = Duration.milliseconds(600)
        /// After how long a check that does not end has failed.
        public var limit = Duration.seconds(60)

        public init() {}
    }

    public var choices: Choices
    private let make: @Sendable (String) async throws -> any Storage

    /// - Parameter open: opens the storage as `Huey(name, storage:)` is given it, not bound to the name yet. Each call for a name stands for
    ///   another process: what it returns has connections of its own, and sees what the others of that name see. Names are fresh in every
    ///   run, of letters and digits; what was stored under them is removed afterwards.
    public init(
        choices: Choices = Choices(),
        _ open: @escaping @Sendable (_ name: String) async throws -> any Storage
    ) {
        self.choices = choices
        make = open
    }

    /// For a storage that is one object in one process's memory.
    ///
    /// - Parameter make: makes an empty one; it is called once for each check.
    public init(
        choices: Choices = Choices(),
        inMemory make: @escaping @Sendable () -> any Storage
    ) {
        self.choices = choices
        self.choices.hasNames = false
        let objects = SharedObjects(make: make)
        self.make = { name in await objects.object(name) }
    }

    /// All checks, those of optional protocols included.
    public static let checks: [StorageCheck] =
        queueChecks + effectChecks + valueChecks + resultChecks + scheduleChecks + deadLetterChecks + onceChecks
        + deliveryChecks + recoveryChecks

    /// Runs one check.
    ///
    /// - Returns: whether the storage has what the check is about.
    /// - Throws: ``StorageViolation`` for a promise that is broken, or what the storage throws.
    @discardableResult
    public func run(_ check: StorageCheck) async throws -> StorageCheck.Outcome {
        let run = CheckRun(choices: choices, open: make)
        do {
            guard try await check.applies(run) else {
                await run.close()
                return .notApplicable
            }
            try await withLimit(choices.limit, of: check.promise) { try await check.body(run) }
        } catch {
            await run.close()
            throw error
        }
        await run.close()
        return .kept
    }

    /// Runs all checks, one after the other.
    ///
    /// - Returns: what came of each, in the order of ``checks``.
    public func run() async -> [StorageCheck.Report] {
        var reports: [StorageCheck.Report] = []
        for check in Self.checks {
            do {
                reports.append(StorageCheck.Report(check: check, result: .success(try await run(check))))
            } catch {
                reports.append(StorageCheck.Report(check: check, result: .failure(error)))
            }
        }
        return reports
    }
}

/// One object for each name, for a storage that lives in memory. A check uses one name and is over then: only the latest are kept.
private actor SharedObjects {
    private let make: @Sendable () -> any Storage
    private var objects: [String: any Storage] = [:]

    init(make: @escaping @Sendable () -> any Storage) { self.make = make }

    func object(_ name: String) -> any Storage {
        if let object = objects[name] { return object }
        let object = make()
        objects[name] = object
        return object
    }
}

/// Runs a check that may never end. One that does not end within the limit is cancelled and left behind.
private func withLimit(
    _ limit: Duration,
    of promise: String,
    _ body: @escaping @Sendable () async throws -> Void
) async throws {
    let (results, continuation) = AsyncStream<Result<Void, any Error>>.makeStream()
    let work = Task {
        do { continuation.yield(.success(try await body())) } catch { continuation.yield(.failure(error)) }
    }
    let timer = Task {
        try await Task.sleep(for: limit)
        continuation.yield(.failure(StorageViolation("it ends", found: "nothing after \(limit)")))
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    for await result in results { return try result.get() }
    throw CancellationError()
}
