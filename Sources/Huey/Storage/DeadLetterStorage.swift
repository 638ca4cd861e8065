import Pickle

/// A storage whose dead letters can be looked at, put back into the queue, and dropped.
public protocol DeadLetterStorage: Storage {
    /// How many messages were put aside.
    ///
    /// - Throws: the storage's error.
    func deadLetterCount() async throws -> Int
    /// The messages that were put aside, newest first. What is no letter of ours is left out.
    ///
    /// - Parameters:
    ///   - start: how many are passed over.
    ///   - limit: how many are returned at most.
    /// - Throws: the storage's error.
    func deadLetterEntries(from start: Int, limit: Int) async throws -> [DeadLetterEntry]
    /// Takes a letter's message back into the queue, byte for byte, in one step.
    ///
    /// - Parameter priority: the message's priority, which a queue with priorities does not find in the bytes.
    /// - Returns: false when the letter is gone.
    /// - Throws: as ``Storage/enqueue(_:priority:)``; the letter is still there then.
    func requeueDeadLetter(_ entry: DeadLetterEntry, priority: Double?) async throws -> Bool
    /// Removes a letter for good.
    ///
    /// - Returns: false when it is gone already.
    /// - Throws: the storage's error.
    func dropDeadLetter(_ entry: DeadLetterEntry) async throws -> Bool
    /// Removes the letters that are too old, where there is such a limit. Every consumer does it from time to time.
    ///
    /// - Returns: how many.
    /// - Throws: the storage's error.
    @discardableResult
    func dropOldDeadLetters() async throws -> Int
}

extension DeadLetterStorage {
    public func dropOldDeadLetters() async throws -> Int { 0 }

    /// The letters whose id is, or begins with, `id`.
    ///
    /// - Throws: the storage's error.
    public func deadLetterEntries(id: String) async throws -> [DeadLetterEntry] {
        var found: [DeadLetterEntry] = []
        let count = try await deadLetterCount()
        for start in stride(from: 0, to: count, by: 100) {
            found += try await deadLetterEntries(from: start, limit: 100).filter { $0.id.hasPrefix(id) }
        }
        return found
    }
}

/// A message that was put aside, as a storage keeps it.
public struct DeadLetterEntry: Sendable {
    /// 16 hexadecimal digits: a hash of the letter, so that it stays the same from look to look.
    public let id: String
    public let letter: DeadLetter
    /// The letter as the storage keeps it: a pickle.
    public let stored: [UInt8]

    /// Reads a letter as it is kept; nil for what is no letter of ours.
    public init?(stored: [UInt8]) {
        guard let root = try? PickleDocument(stored).root, let letter = try? DeadLetter(pickle: root) else {
            return nil
        }
        self.init(letter, stored)
    }

    /// A letter that is about to be kept.
    ///
    /// - Throws: ``PickleError`` for a letter that is too large.
    public init(_ letter: DeadLetter) throws {
        self.init(letter, try letter.pickled(protocol: 2))
    }

    private init(_ letter: DeadLetter, _ stored: [UInt8]) {
        self.letter = letter
        self.stored = stored
        // FNV-1a.
        let hash = stored.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        id = String(repeating: "0", count: 16 - digits.count) + digits
    }
}
