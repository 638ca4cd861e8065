import Synchronization

/// Whether the last signal asked for a fresh start.
final class RestartFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }

    func clear() { flag.store(false, ordering: .releasing) }
}
