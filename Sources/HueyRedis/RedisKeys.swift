/// How an instance's name becomes part of its keys. Mirrors `RedisStorage.clean_name`, which differs between huey's generations.
public enum NameCleaning: Sendable, Hashable {
    /// huey 3: keeps `[A-Za-z0-9_]`.
    case huey3
    /// huey 2: keeps `[a-z0-9]`.
    case huey2
    /// huey 3.4 and later with `clean_name=False`: the name as it is.
    case off

    package func clean(_ name: String) -> String {
        guard self != .off else { return name }
        return String(
            decoding: name.utf8.filter { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): self == .huey3
                default: false
                }
            },
            as: UTF8.self
        )
    }
}

/// The keys of one instance: huey's, and our own under `huey.swift.`.
struct RedisKeys: Sendable {
    let name: String
    let queue: String
    let schedule: String
    let results: String
    let counters: String
    /// Before the key of each value and counter, in the kinds that expire.
    let resultPrefix: String
    let counterPrefix: String
    let notifyPrefix: String
    /// Messages that cannot be run.
    let dead: String
    /// A hash: for each consumer that is alive, its heartbeat.
    let heartbeats: String
    /// A hash: for each message that outlived its consumer, by its SHA-1, how often; with a `!` behind, how often it had started.
    let deaths: String
    /// A sorted set: every session, by when it began; from its end on, by when it ended, for an hour, where a blocking move may still bring it a
    /// message. By it what is held is found even where there is no heartbeat.
    let gone: String
    /// A set: the sessions that may have batches, so that what they hold is found whoever removed their heartbeats.
    let batches: String
    /// The kind of storage of those who hold messages.
    let kind: String
    /// A hash: for each scheduler that moves messages just now, a mark; what it leaves behind tells that it died meanwhile.
    let promoting: String
    /// A hash: for each periodic task, the last minute for which it was enqueued.
    let ticks: String

    init(name: String) {
        self.name = name
        queue = "huey.redis.\(name)"
        schedule = "huey.schedule.\(name)"
        results = "huey.results.\(name)"
        counters = "huey.counters.\(name)"
        resultPrefix = "huey.r.\(name)."
        counterPrefix = "huey.c.\(name)."
        notifyPrefix = "huey.notify.\(name)."
        dead = "huey.swift.dead.\(name)"
        heartbeats = "huey.swift.beats.\(name)"
        deaths = "huey.swift.deaths.\(name)"
        gone = "huey.swift.gone.\(name)"
        batches = "huey.swift.batches.\(name)"
        kind = "huey.swift.kind.\(name)"
        promoting = "huey.swift.promoting.\(name)"
        ticks = "huey.swift.ticks.\(name)"
    }

    /// Whether the name brings a hash tag, so that all keys lie in one slot of a cluster.
    var liesInOneSlot: Bool {
        guard let start = name.firstIndex(of: "{"), let end = name[start...].firstIndex(of: "}") else { return false }
        return name.index(after: start) < end
    }

    /// Says that the message of a task was enqueued, so that a producer's retry does not do it twice.
    func sent(_ id: String) -> String { "huey.swift.sent.\(name).\(id)" }

    /// A hash of one field: the id of the unique job that a key stands for.
    func unique(_ digest: String) -> String { "huey.swift.unique.\(name).\(digest)" }

    /// What one session of a consumer holds, but for its batches: a hash of messages by their number, with `c`, the number of its last commit, `!` before
    /// the number of one whose task started, and `b` before the slot of a batch for the number of its first message.
    func held(_ session: String) -> String { "huey.swift.held.\(name).\(session)" }
    /// There while a session may write; transactions watch it.
    func alive(_ session: String) -> String { "huey.swift.alive.\(name).\(session)" }
    /// There for a week when others took over what a session held.
    func over(_ session: String) -> String { "huey.swift.over.\(name).\(session)" }
    /// Messages that a session fetched together, in the queue's own type, oldest first; one for each slot.
    func batch(_ session: String, _ slot: Int) -> String { "huey.swift.batch.\(name).\(session).\(slot)" }
    /// A set: which messages of a batch are done with, by their indexes from its end, -1 being the newest.
    func done(_ session: String, _ slot: Int) -> String { "huey.swift.done.\(name).\(session).\(slot)" }
    /// Where a blocking move puts a message, until it has a number.
    func next(_ session: String) -> String { "huey.swift.next.\(name).\(session)" }
    /// The locks that a session holds: fields of ``results``, or keys in the kinds that expire.
    func locks(_ session: String) -> String { "huey.swift.locks.\(name).\(session)" }
}
