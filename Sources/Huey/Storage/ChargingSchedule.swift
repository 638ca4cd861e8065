public import Pickle

/// A storage that knows of which scheduled message schedulers have died.
public protocol ChargingSchedule: Storage {
    /// ``Storage/promoteSchedule(dueAt:limit:transform:)``, and a message of which so many schedulers have died becomes a dead letter unread.
    ///
    /// - Parameter deathLimit: nil for no accounting.
    /// - Returns: how many messages were due.
    /// - Throws: the storage's error.
    func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        deathLimit: Int?,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int
}

/// A storage that knows what its server should be set up like.
public protocol AdvisingStorage: Storage {
    /// - Returns: for each setting of the server under which messages may be lost, what it is and what it should be. Empty where the server
    ///   does not tell.
    func advice() async -> [String]
}
