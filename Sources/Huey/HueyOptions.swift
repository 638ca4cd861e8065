public import Tracing

/// What is stored, and how. Mirrors the keywords of `Huey.__init__`.
public struct HueyOptions: Sendable {
    /// Whether results are stored.
    public var results: Bool
    /// Whether None is stored as a result.
    public var storeNone: Bool
    /// Whether an error is stored, and its handler run, while retries are left.
    public var storeIntermediateErrors: Bool
    /// Whether times are UTC inside; local time otherwise.
    public var utc: Bool
    /// Which releases of huey read what is written.
    public var wire: WireVersion
    /// Whether a task runs only if everything behind it in its pipeline is registered here too, as in huey, which cannot read such a
    /// message. Off, the task runs and what follows goes to whoever knows it.
    public var requiresKnownFollowUps: Bool
    /// Whether a task runs at once, in whoever enqueues it, instead of waiting for a consumer: for tests and development. A task
    /// with a time of its own is kept in the schedule, where nobody looks. No consumer can run on such an instance, and a task's
    /// timeout cancels nothing, as in huey. ``Huey/immediate`` changes it later.
    public var immediate: Bool
    /// Whether an immediate instance keeps its results and its schedule in a ``MemoryStorage`` instead of the storage given.
    public var immediateUsesMemory: Bool
    /// How long a message is tried to be enqueued while the storage cannot be reached; once when nil, as in huey. A storage that is an
    /// ``IdempotentStorage`` never enqueues it twice; another is not tried again after an answer was lost.
    public var enqueueBudget: Duration?
    /// The most bytes of a message, before compression and after decompression: 16 MiB. A larger one is not enqueued; one that somebody
    /// else has enqueued becomes a dead letter. Raise it in producers and consumers alike.
    ///
    /// A consumer of 512 MB of memory bears the default with 16 workers, whatever comes.
    public var maximumMessageSize: Int
    /// The most bytes of memory that decoding one message may take beside its own bytes: 32 MiB, which are more than a million values.
    /// A message that takes more becomes a dead letter. See ``PickleLimits/memory``.
    public var maximumMessageMemory: Int
    /// The most bytes of a result as it is written. A task whose value is larger has failed. 256 MiB.
    public var maximumResultSize: Int
    /// Where spans go; when nil, where the process's instrument (`InstrumentationSystem`) sends them, as it is when the first task is
    /// enqueued or run.
    ///
    /// Enqueueing is a span of kind `producer`, a run one of kind `consumer`, its child also in another process: the context rides
    /// behind the message's pickle, where Python does not look. A retry, a schedule of ours and Swift's followers keep it; what
    /// Python writes again, and a ``Serializer`` of one's own, does not carry it. Spans hold the task's name, id and retries, and the
    /// type of an error; never arguments, values or an exception's text.
    public var tracer: (any Tracer)?

    public init(
        results: Bool = true,
        storeNone: Bool = false,
        storeIntermediateErrors: Bool = true,
        utc: Bool = true,
        wire: WireVersion = .auto,
        requiresKnownFollowUps: Bool = false,
        immediate: Bool = false,
        immediateUsesMemory: Bool = true,
        enqueueBudget: Duration? = nil,
        maximumMessageSize: Int = 1 << 24,
        maximumMessageMemory: Int = 1 << 25,
        maximumResultSize: Int = 1 << 28,
        tracer: (any Tracer)? = nil
    ) {
        self.results = results
        self.storeNone = storeNone
        self.storeIntermediateErrors = storeIntermediateErrors
        self.utc = utc
        self.wire = wire
        self.requiresKnownFollowUps = requiresKnownFollowUps
        self.immediate = immediate
        self.immediateUsesMemory = immediateUsesMemory
        self.enqueueBudget = enqueueBudget
        self.maximumMessageSize = maximumMessageSize
        self.maximumMessageMemory = maximumMessageMemory
        self.maximumResultSize = maximumResultSize
        self.tracer = tracer
    }
}
