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

    /// How long the storage may take to answer until it counts as away.
    static let answer = Duration.milliseconds(300)
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

extension Consumer {
    /// Whether the storage does not answer, or says that it cannot be reached.
    func isStorageAway() async -> Bool {
        let isOver = Gate()
        let question = Task(executorPreference: upkeep) {
            let isReached = (try? await self.huey.storage.ping()) != nil
            isOver.open()
            return isReached
        }
        defer { question.cancel() }
        guard await isOver.wait(atMost: Ending.answer) else { return true }
        return await !question.value
    }
}
