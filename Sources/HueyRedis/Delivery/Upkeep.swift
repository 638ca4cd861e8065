import Huey
import Logging
import Redis

/// What a consumer does beside its tasks so that nothing is lost: it tells that it lives, and takes over from those that do not.
struct Upkeep: Sendable {
    let channel: AcknowledgingChannel

    /// Until cancelled.
    func run() async {
        let interval = channel.heartbeatInterval
        var watch = HeartbeatWatch<ContinuousClock.Instant>(lease: channel.options.lease, interval: interval)
        var count = 0
        var isFailing = false
        var lastSweep = ContinuousClock.now
        var known: Set<String> = []
        while !Task.isCancelled {
            count += 1
            do {
                let heartbeats = try await channel.sendHeartbeat(count)
                if isFailing { channel.logger.info("Heartbeats are sent again.") }
                isFailing = false
                let over = watch.look(at: heartbeats, now: .now) { Session.process(of: $0)?.hasEnded == true }
                for (session, heartbeat) in over { await channel.tryToRecover(session, heartbeat) }
                // One that has ended may have been taken over by an earlier release, which leaves batches.
                let isAnyGone = !known.isSubset(of: heartbeats.keys)
                known = Set(heartbeats.keys)
                if isAnyGone || lastSweep.duration(to: .now) >= channel.options.lease {
                    try await channel.sweep()
                    try await channel.storage.dropOldDeadLetters()
                    lastSweep = .now
                }
            } catch is CancellationError {
                return
            } catch {
                watch.lookFailed()
                if !isFailing { channel.logger.error("No heartbeat", metadata: ["reason": "\(error)"]) }
                isFailing = true
            }
            guard (try? await channel.storage.client.pause(for: interval)) != nil else { return }
        }
    }
}
