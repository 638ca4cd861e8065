/// Watches other consumers' heartbeats, and tells whose have stopped.
///
/// Only what this watch has seen itself counts, by its own clock: heartbeats with a time to live would all end in a long outage, and
/// everything would run twice.
struct HeartbeatWatch<Instant: InstantProtocol> where Instant.Duration == Duration {
    private struct Observation {
        var heartbeat: String
        var since: Instant
    }

    private let lease: Duration
    private let longestGap: Duration
    private var observations: [String: Observation] = [:]
    private var lastLook: Instant?

    /// - Parameters:
    ///   - lease: how long a heartbeat must stand still.
    ///   - interval: how often somebody looks.
    init(lease: Duration, interval: Duration) {
        self.lease = lease
        longestGap = max(interval * 3, lease / 3)
    }

    /// Takes in all heartbeats by session; returns the sessions that are over, with the heartbeats they had.
    ///
    /// - Parameter hasEnded: whether a heartbeat's process is known to have ended.
    mutating func look(
        at heartbeats: [String: String],
        now: Instant,
        hasEnded: (String) -> Bool
    ) -> [(session: String, heartbeat: String)] {
        // Who did not look for long may have stood still itself, or could not reach the server: so may the others.
        if let lastLook, lastLook.duration(to: now) > longestGap { observations = [:] }
        lastLook = now
        observations = observations.filter { heartbeats[$0.key] != nil }
        var over: [(session: String, heartbeat: String)] = []
        for (session, heartbeat) in heartbeats {
            if let observation = observations[session], observation.heartbeat == heartbeat {
                if observation.since.duration(to: now) >= lease || hasEnded(heartbeat) {
                    over.append((session, heartbeat))
                }
            } else {
                observations[session] = Observation(heartbeat: heartbeat, since: now)
                if hasEnded(heartbeat) { over.append((session, heartbeat)) }
            }
        }
        return over
    }

    /// Forgets what was seen: the server could not be asked.
    mutating func lookFailed() { observations = [:] }
}
