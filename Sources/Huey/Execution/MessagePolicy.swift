import Synchronization

/// What a consumer does with messages that cannot simply run.
public struct MessagePolicy: Sendable {
    /// Messages of tasks that are not registered here.
    public enum UnknownTasks: Sendable {
        /// Put aside with the reason.
        case deadLetter
        /// Back into the queue, for workers that know them, after a delay that grows with each return.
        case giveBack(Returns)
        /// Forgotten after a line in the log, as huey does.
        case drop
    }

    /// How messages of unknown tasks return to the queue: the delay doubles from the first to the longest.
    public final class Returns: Sendable {
        private let first: Duration
        private let longest: Duration
        /// By the hash of the id: an id may be of any length, and two of one hash only wait for longer.
        private let returned = Mutex<[Int: Duration]>([:])

        private static let capacity = 10_000

        public init(first: Duration = .seconds(1), longest: Duration = .seconds(300)) {
            self.first = first
            self.longest = longest
        }

        func delay(for id: String) -> Duration {
            let id = id.hashValue
            return returned.withLock { returned in
                let delay = returned[id].map { min($0 * 2, longest) } ?? first
                // Forgetting only makes delays short again.
                if returned.count >= Self.capacity { returned.removeAll(keepingCapacity: true) }
                returned[id] = delay
                return delay
            }
        }
    }

    public var unknownTasks: UnknownTasks
    /// After how many deaths of its consumer a task is put aside; nil to try for ever. The consumer that was the first to die is not
    /// counted, because nobody knows which of the messages it held had been started.
    public var deathLimit: Int?
    /// Whether a task whose last retry failed is put aside too, so that it can be looked at and requeued.
    public var keepsFailedTasks: Bool

    public init(unknownTasks: UnknownTasks = .deadLetter, deathLimit: Int? = 3, keepsFailedTasks: Bool = false) {
        self.unknownTasks = unknownTasks
        self.deathLimit = deathLimit
        self.keepsFailedTasks = keepsFailedTasks
    }

    /// Whether a message that came back may be what its consumers died of, so that none other is to run beside it.
    func suspects(_ delivery: Delivery) -> Bool {
        guard let deathLimit else { return false }
        return delivery.deaths > 0 || deathLimit == 1
    }
}

extension Duration {
    /// The duration in seconds.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
