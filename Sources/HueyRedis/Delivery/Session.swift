import Huey

/// A consumer from its start, or from when it was given up by mistake, until it ends. Given up, a session never returns.
struct Session: Sendable, Equatable {
    /// The process's first session is 0.
    let index: Int
    /// 16 hexadecimal digits that nobody else has.
    let name: String

    init(index: Int) {
        self.index = index
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        name = String(repeating: "0", count: 16 - random.count) + random
    }

    /// What stands as the session's heartbeat: a count that changes, and the process.
    func heartbeat(_ count: Int) -> String { ([String(count)] + ProcessInstance.current.words).joined(separator: " ") }

    /// The process of a heartbeat.
    static func process(of heartbeat: String) -> ProcessInstance? {
        ProcessInstance(words: heartbeat.split(separator: " ").dropFirst())
    }
}
