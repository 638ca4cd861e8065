import Huey
import Logging

/// Keeps the workers supplied: one wait on the queue for all of them, and batches that grow while tasks are fast.
struct Fetcher: Sendable {
    let huey: Huey
    let buffer: WorkBuffer
    let options: ConsumerOptions
    let logger: Logger

    private enum Bound {
        static let batch = 256
        /// A message that has waited this long behind a running task goes back, for whoever is idle elsewhere.
        static let patience = Duration.milliseconds(2)
    }

    private enum Wanted {
        case messages(Int)
        case stuck
    }

    /// Fetches until the buffer is stopped.
    func run() async {
        var allowance = 0
        var pause = options.initialDelay
        var isFailing = false
        while true {
            switch await wanted() {
            case .messages(0):
                return
            case .stuck:
                allowance = 0
                await handBack()
                continue
            case .messages(let count):
                do {
                    let limit = count + min(allowance, options.prefetch ?? Bound.batch)
                    let deliveries = try await huey.storage.dequeue(upTo: limit, wait: .seconds(1))
                    if isFailing { logger.info("Reading from the queue again.") }
                    isFailing = false
                    if deliveries.isEmpty {
                        allowance = 0
                        if !huey.storage.isBlocking { await sleep(&pause) }
                        continue
                    }
                    pause = options.initialDelay
                    allowance = min(Bound.batch, max(1, allowance * 2))
                    await giveBack(buffer.supply(await huey.prepare(deliveries)))
                } catch {
                    if !isFailing { logger.error("Error reading from queue", metadata: ["reason": "\(error)"]) }
                    isFailing = true
                    await sleep(&pause)
                }
            }
        }
    }

    /// Waits for an idle worker, or notices that messages wait behind a task that takes its time.
    private func wanted() async -> Wanted {
        let waiting = buffer.backlog
        if waiting == 0 { return .messages(await buffer.demand()) }
        return await withTaskGroup(of: Wanted?.self) { group in
            group.addTask { .messages(await buffer.demand()) }
            group.addTask {
                var backlog = waiting
                while (try? await Task.sleep(for: Bound.patience)) != nil {
                    let left = buffer.backlog
                    if left == 0 { return nil }
                    if left == backlog {
                        buffer.withdrawDemand()
                        return .stuck
                    }
                    backlog = left
                }
                return nil
            }
            var answer = Wanted.stuck
            for await wanted in group {
                guard let wanted else { continue }
                if case .messages(let count) = wanted, count < 0 { continue }
                answer = wanted
                group.cancelAll()
            }
            return answer
        }
    }

    /// Puts back what no worker has started.
    func handBack() async { await giveBack(buffer.reclaim()) }

    private func giveBack(_ deliveries: [Delivery]) async {
        guard !deliveries.isEmpty else { return }
        do {
            try await huey.storage.giveBack(deliveries)
        } catch {
            logger.error(
                "Messages could not be put back",
                metadata: ["count": "\(deliveries.count)", "reason": "\(error)"]
            )
        }
    }

    private func sleep(_ pause: inout Duration) async {
        pause = min(pause, options.maxDelay)
        await buffer.sleep(for: pause)
        pause = pause * options.backoff
    }
}
