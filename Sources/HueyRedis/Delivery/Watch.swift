/// Watches other consumers' heartbeats, and tells whose have stopped.
///
/// Only what this watch has seen itself counts, by its own clock: heartbeats with a time to live would all end in a long outage, and
/// everything would run twice.
struct Watch<Instant: InstantProtocol> where Instant.Duration == Duration {
    private struct Observation {
        var beat: String
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

    /// Takes in all heartbeats by life; returns the lives that are over, with the heartbeats they had.
    ///
    /// - Parameter hasEnded: whether a heartbeat's process is known to have ended.
    mutating func look(
        at beats: [String: String],
        now: Instant,
        hasEnded: (String) -> Bool
    ) -> [(life: String, beat: String)] {
        // Who did not look for long may have stood still itself, or could not reach the server: so may the others.
        if let lastLook, lastLook.duration(to: now) > longestGap { observations = [:] }
        lastLook = now
        observations = observations.filter { beats[$0.key] != nil }
        var over: [(life: String, beat: String)] = []
        for (life, beat) in beats {
            if let observation = observations[life], observation.beat == beat {
                if observation.since.duration(to: now) >= lease || hasEnded(beat) { over.append((life, beat)) }
            } else {
                observations[life] = Observation(beat: beat, since: now)
                if hasEnded(beat) { over.append((life, beat)) }
            }
        }
        return over
    }

    /// Forgets what was seen: the server could not be asked.
    mutating func lookFailed() { observations = [:] }
}
