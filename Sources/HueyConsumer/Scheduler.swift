import Huey
import Logging
import Pickle
import Synchronization

private enum Bound {
    static let batch = 500
    static let periodicInterval = Duration.seconds(60)
}

/// Moves tasks whose time has come to the queue, and enqueues periodic ones once a minute. Mirrors huey's `Scheduler`.
struct Scheduler<C: Clock<Duration>>: Sendable {
    let huey: Huey
    let interval: Duration
    let periodic: Bool
    /// Whether other schedulers may enqueue the same periodic tasks, and each must run once.
    let once: Bool
    /// Whether the last run that was missed is made up for at the start.
    let catchUp: Bool
    /// After how many deaths of its scheduler a message is put aside; nil for any number.
    let deathLimit: Int?
    let clock: C
    let logger: Logger
    private let outages: OutageLog
    private let periodicOutages: OutageLog
    private let lastMinute = LastMinute()

    /// The last minute whose periodic tasks are enqueued, by whomever.
    private final class LastMinute: Sendable {
        let value = Mutex<Int?>(nil)
    }

    init(
        huey: Huey,
        interval: Duration,
        periodic: Bool,
        once: Bool = false,
        catchUp: Bool = false,
        deathLimit: Int? = nil,
        clock: C,
        logger: Logger
    ) {
        self.huey = huey
        self.interval = interval
        self.periodic = periodic
        self.once = once
        self.catchUp = catchUp
        self.deathLimit = deathLimit
        self.clock = clock
        self.logger = logger
        outages = OutageLog(logger)
        periodicOutages = OutageLog(logger)
    }

    /// The first look, before the workers start: what is due by now, and the periodic tasks of this minute.
    func begin() async {
        await promoteDue()
        if periodic, once, catchUp { await enqueueMissed() }
        if periodic { await enqueuePeriodic() }
    }

    /// Goes on from ``begin()`` until cancelled.
    func run() async {
        let start = clock.now
        var nextLoop = start.advanced(by: interval)
        var nextPeriodic = start.advanced(by: Bound.periodicInterval)
        try? await clock.sleep(until: nextLoop, tolerance: nil)
        while !Task.isCancelled {
            let current = nextLoop
            nextLoop = nextLoop.advanced(by: interval)
            if nextLoop < clock.now {
                logger.debug("scheduler skipping iteration to avoid race.")
                nextLoop = clock.now
                continue
            }
            await promoteDue()
            if periodic, claimsMinutes {
                await enqueuePeriodic()
            } else if periodic, nextPeriodic <= clock.now {
                // Checks missed during a stall are skipped, so that nothing is enqueued twice.
                while nextPeriodic <= clock.now { nextPeriodic = nextPeriodic.advanced(by: Bound.periodicInterval) }
                await enqueuePeriodic()
            }
            try? await clock.sleep(until: current.advanced(by: interval), tolerance: nil)
        }
    }

    /// Moves everything that is due by now.
    func promoteDue() async {
        let now = huey.now()
        do {
            while !Task.isCancelled {
                let moved = try await promote(dueAt: now)
                outages.works("Reading the schedule again.")
                if moved < Bound.batch { return }
            }
        } catch is CancellationError {
            // The consumer stops.
        } catch {
            outages.failed("Error reading schedule.", error)
        }
    }

    /// - Returns: how many messages were due.
    private func promote(dueAt now: PickleDateTime) async throws -> Int {
        let transform: @Sendable ([UInt8]) async throws -> [StorageEffect] = { data in
            await huey.promoted(data, logger: logger)
        }
        guard let storage = huey.storage as? any ChargingSchedule else {
            return try await huey.storage.promoteSchedule(dueAt: now, limit: Bound.batch, transform: transform)
        }
        return try await storage.promoteSchedule(
            dueAt: now,
            limit: Bound.batch,
            deathLimit: deathLimit,
            transform: transform
        )
    }

    /// Whether a minute is enqueued once whoever asks for it, and however often.
    private var claimsMinutes: Bool { once && huey.storage is any TickingStorage }

    /// The periodic tasks of this minute. Where minutes are claimed, every look sees to the minute that it is: none is left out because looks
    /// drift, and what fails is tried again while the minute lasts.
    private func enqueuePeriodic() async {
        let minute = huey.minute
        if claimsMinutes, lastMinute.value.withLock({ $0 == minute }) { return }
        logger.debug("Checking periodic tasks")
        var failure: (message: Logger.Message, error: any Error)?
        for message in huey.duePeriodicTasks(at: huey.now()) {
            if !once { logger.info("Enqueueing periodic task \(message.summary).") }
            do {
                guard once else {
                    try await huey.enqueue(message)
                    continue
                }
                if try await huey.enqueue(message, onceAt: minute) {
                    logger.info("Enqueued periodic task \(message.summary).")
                }
            } catch {
                failure = ("Error enqueueing periodic task \(message.summary).", error)
            }
        }
        if let failure {
            periodicOutages.failed(failure.message, failure.error)
        } else {
            periodicOutages.works("Enqueueing periodic tasks again.")
            lastMinute.value.withLock { $0 = minute }
        }
    }

    private func enqueueMissed() async {
        do {
            for (message, minute) in try await huey.missedPeriodicTasks()
            where try await huey.enqueue(message, onceAt: minute) {
                logger.info("Enqueued periodic task \(message.summary), which was missed.")
            }
        } catch {
            logger.error("Missed periodic tasks could not be enqueued.", metadata: ["reason": "\(error)"])
        }
    }
}
