import Huey
import Logging

/// The end of a consumer once no task runs any more. A storage that does not answer is waited for only where something would be lost: results
/// of finished tasks, and messages that were fetched, not started, and are held nowhere else.
struct Ending: Sendable {
    let consumer: Consumer
    let fetcher: Fetcher
    /// Whether the storage does not answer.
    let isAway: Bool
    /// Until when what would be lost is waited for, if the storage does not answer.
    let deadline: ContinuousClock.Instant

    /// How long the storage may take to answer until it counts as away: long, because what is on its way from it is lost then, and short
    /// enough for a stop within a second.
    static let answer = Duration.milliseconds(600)
    /// How long what would be lost is waited for where no timeout was given: containers are killed ten seconds after they were asked to stop.
    static let patience = Duration.seconds(8)
    /// So long for what costs nothing to leave.
    private static let moment = Duration.milliseconds(100)
    /// So long for each step while the storage answers.
    private static let step = Duration.seconds(10)

    private var left: Duration { max(Self.moment, ContinuousClock.now.duration(to: deadline)) }

    /// For the log.
    private var limit: String { "at most \((left.inSeconds * 10).rounded() / 10) seconds" }

    /// Waits for what reads from the storage, and for messages on their way back.
    func finish(fetching tasks: [Task<Void, Never>]) async {
        for task in tasks {
            let isDone = await consumer.finishes(task, within: isAway ? Self.moment : Self.step)
            if !isDone, !fetcher.isOwing { task.cancel() }
        }
        guard fetcher.isOwing else { return }
        consumer.logger.warning(
            "Messages that were not started are not put back yet; waiting for the storage, \(limit)."
        )
        for task in tasks {
            if await !consumer.finishes(task, within: left) { task.cancel() }
        }
    }

    /// Waits for results to be stored.
    func finish(commits task: Task<Void, Never>) async {
        if await consumer.finishes(task, within: Self.answer) { return }
        consumer.logger.warning("Results are not stored yet; waiting for the storage, \(limit).")
        if await consumer.finishes(task, within: isAway ? left : max(left, Self.step)) { return }
        task.cancel()
        _ = await consumer.finishes(task, within: Self.answer)
    }

    /// Waits for the channel to be closed: what it holds goes back, by itself or, later, by others.
    func finish(closing task: Task<Void, Never>) async {
        if await consumer.finishes(task, within: isAway ? Self.moment : Self.step) { return }
        task.cancel()
        consumer.logger.warning("The storage does not answer: what this consumer held, others take over later.")
    }
}

/// Asks the storage, when a stop is asked for, whether it answers.
struct PresenceQuestion: Sendable {
    private let isOver = Gate()
    private let task: Task<Bool, Never>
    private let end = ContinuousClock.now.advanced(by: Ending.answer)

    init(to storage: any Storage, on upkeep: ThreadExecutor) {
        task = Task(executorPreference: upkeep) { [isOver] in
            let isReached = (try? await storage.ping()) != nil
            isOver.open()
            return isReached
        }
    }

    /// Whether the storage does not answer in time, or cannot be reached.
    func isStorageAway() async -> Bool {
        guard await isOver.wait(atMost: max(.zero, ContinuousClock.now.duration(to: end))) else {
            task.cancel()
            return true
        }
        return await !task.value
    }
}
