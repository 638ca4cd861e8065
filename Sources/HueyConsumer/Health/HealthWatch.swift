import Huey
import Logging
import Synchronization

/// Tells the world outside whether a consumer moves: see ``ConsumerOptions/healthFile`` and ``ConsumerOptions/healthPort``.
struct HealthWatch: Sendable {
    private let liveness: Liveness
    private let file: HealthFile?
    private let server: HealthServer?
    private let logger: Logger
    private let outages: OutageLog
    /// When ``run(probing:)`` last looked: an answer of its own thread says nothing where that one is stuck.
    private let lastLook: LastLook

    private final class LastLook: Sendable {
        let value = Mutex(ContinuousClock.now)
    }

    /// How often it looks.
    private let interval: Duration
    /// How long an executor may keep a probe waiting.
    private let patience: Duration

    /// - Throws: ``HueyError`` `.invalidConfiguration` when the file cannot be written or the port not be opened.
    init(
        _ options: ConsumerOptions,
        _ liveness: Liveness,
        _ logger: Logger,
        interval: Duration = .seconds(1),
        patience: Duration = .seconds(10)
    ) async throws {
        self.interval = interval
        self.patience = patience
        self.liveness = liveness
        self.logger = logger
        outages = OutageLog(logger)
        let lastLook = LastLook()
        self.lastLook = lastLook
        file = try options.healthFile.map { try HealthFile(path: $0) }
        do {
            server = try await options.healthPort.asyncMap { port in
                try await HealthServer(port: port) {
                    let isLate = lastLook.value.withLock { $0.duration(to: .now) > patience }
                    return liveness.stuck().map(\.rawValue) + (isLate ? ["upkeep"] : [])
                }
            }
        } catch {
            file?.remove()
            throw error
        }
    }

    /// Whether anybody asked for it.
    var isWanted: Bool { file != nil || server != nil }

    /// Looks every second until cancelled.
    func run(probing executors: [(Liveness.Part, any TaskExecutor)]) async {
        await withDiscardingTaskGroup { group in
            for (part, executor) in executors { group.addTask { await probe(part, executor) } }
            var known: [Liveness.Part] = []
            while !Task.isCancelled {
                lastLook.value.withLock { $0 = .now }
                let stuck = liveness.stuck()
                if stuck != known { log(stuck) }
                known = stuck
                if stuck.isEmpty, let file {
                    if let reason = file.touch() {
                        outages.failed("The health file cannot be written.", HueyError(.invalidConfiguration, reason))
                    } else {
                        outages.works("The health file can be written again.")
                    }
                }
                try? await Task.sleep(for: interval)
            }
            group.cancelAll()
        }
    }

    private func log(_ stuck: [Liveness.Part]) {
        if stuck.isEmpty {
            logger.info("Everything moves again.")
        } else {
            logger.error("The consumer does not move: \(stuck.map(\.rawValue).joined(separator: ", ")).")
        }
    }

    /// Gives an executor something to do again and again.
    private func probe(_ part: Liveness.Part, _ executor: any TaskExecutor) async {
        while !Task.isCancelled {
            liveness.expect(part, within: patience)
            let isAnswered = Gate()
            let probe = Task(executorPreference: executor) { isAnswered.open() }
            await isAnswered.wait()
            probe.cancel()
            liveness.isBack(part)
            try? await Task.sleep(for: interval)
        }
    }

    /// Removes the file and closes the port.
    func close() async {
        file?.remove()
        await server?.close()
    }
}

extension Optional {
    fileprivate func asyncMap<T>(_ transform: (Wrapped) async throws -> T) async rethrows -> T? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
