import Huey
import Logging
import Pickle

private enum Bound {
    static let batch = 500
    static let periodicInterval = Duration.seconds(60)
}

/// Moves tasks whose time has come to the queue, and enqueues periodic ones once a minute. Mirrors huey's `Scheduler`.
struct Scheduler<C: Clock<Duration>>: Sendable {
    let huey: Huey
    let interval: Duration
    let periodic: Bool
    let clock: C
    let logger: Logger

    /// The first look, before the workers start: what is due by now, and the periodic tasks of this minute.
    func begin() async {
        await promoteDue()
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
            if periodic, nextPeriodic <= clock.now {
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
                let moved = try await huey.storage.promoteSchedule(dueAt: now, limit: Bound.batch) { data in
                    await huey.promoted(data, logger: logger)
                }
                if moved < Bound.batch { return }
            }
        } catch {
            logger.error("Error reading schedule.", metadata: ["reason": "\(error)"])
        }
    }

    private func enqueuePeriodic() async {
        logger.debug("Checking periodic tasks")
        for message in huey.duePeriodicTasks(at: huey.now()) {
            logger.info("Enqueueing periodic task \(message.summary).")
            do {
                try await huey.enqueue(message)
            } catch {
                logger.error("Error enqueueing periodic task \(message.summary).", metadata: ["reason": "\(error)"])
            }
        }
    }
}
