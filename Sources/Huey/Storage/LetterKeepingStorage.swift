/// A storage whose dead letters are kept for a time only, which somebody has to see to.
public protocol LetterKeepingStorage: Storage {
    /// Removes dead letters that are too old; how many.
    ///
    /// - Throws: the storage's error.
    @discardableResult
    func dropOldDeadLetters() async throws -> Int
}
