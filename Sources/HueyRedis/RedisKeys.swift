/// How an instance's name becomes part of its keys. Mirrors `RedisStorage.clean_name`, which differs between huey's generations.
public enum NameCleaning: Sendable, Hashable {
    /// huey 3: keeps `[A-Za-z0-9_]`.
    case huey3
    /// huey 2: keeps `[a-z0-9]`.
    case huey2
    /// huey 3.4 and later with `clean_name=False`: the name as it is.
    case off

    func clean(_ name: String) -> String {
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
    }
}
