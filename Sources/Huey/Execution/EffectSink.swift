/// Where the effects of finished tasks go: straight to the storage, or into a consumer's next batch.
package protocol EffectSink: Sendable {
    /// Takes effects over, in order; they reach the storage now or soon.
    ///
    /// - Throws: the storage's error.
    func submit(_ effects: [StorageEffect]) async throws
    /// Returns once everything submitted is in the storage.
    ///
    /// - Throws: the storage's error.
    func flush() async throws
}

/// Commits at once.
package struct DirectSink: EffectSink {
    let storage: any Storage

    package init(storage: any Storage) { self.storage = storage }

    package func submit(_ effects: [StorageEffect]) async throws { try await storage.commit(effects) }

    package func flush() async throws {}
}
