public import GRDB
public import Huey

extension DatabaseError: StorageFailure {
    /// Another process holds the file's lock; it will let go.
    public var isTransient: Bool { resultCode == .SQLITE_BUSY || resultCode == .SQLITE_LOCKED }

    /// A transaction that failed has changed nothing.
    public var mayHaveHappened: Bool { false }
}
