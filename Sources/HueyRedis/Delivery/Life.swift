import Huey

/// A consumer from its start, or from when it was given up by mistake, until it ends. Given up, a life never returns.
struct Life: Sendable, Equatable {
    /// The process's first life is 0.
    let index: Int
    /// 16 hexadecimal digits that nobody else has.
    let name: String

    init(index: Int) {
        self.index = index
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        name = String(repeating: "0", count: 16 - random.count) + random
    }

    /// What stands as the life's heartbeat: a count that changes, and the process.
    func beat(_ count: Int) -> String { ([String(count)] + ProcessLife.current.words).joined(separator: " ") }

    /// The process of a heartbeat.
    static func process(of beat: String) -> ProcessLife? {
        ProcessLife(words: beat.split(separator: " ").dropFirst())
    }
}
