/// A storage that keeps account of who holds a lock, so that a consumer that dies does not keep it.
public protocol LockingStorage: Storage {
    /// Takes a lock where it is free; whether it was.
    ///
    /// - Throws: as ``Storage/putIfEmpty(_:forKey:ttl:)``.
    func acquireLock(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool
    /// Opens a lock, whoever holds it; whether it was held.
    func releaseLock(_ key: String) async throws -> Bool
}

extension Storage {
    func takeLock(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        if let storage = self as? any LockingStorage {
            return try await storage.acquireLock(value, forKey: key, ttl: ttl)
        }
        return try await putIfEmpty(value, forKey: key, ttl: ttl)
    }

    func openLock(_ key: String) async throws -> Bool {
        if let storage = self as? any LockingStorage { return try await storage.releaseLock(key) }
        return try await deleteData(key)
    }
}
