internal import SMTP
internal import Synchronization

/// Why a key file cannot be used.
package struct KeyFileError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

/// The file `EDUMFA_ENCFILE`. It is read when a password is needed, and again when it has changed.
package final class KeyFile: Sendable {
    private let path: String
    private let last = Mutex<(version: SmallFile.Version, decryptor: PasswordDecryptor)?>(nil)

    package init(path: String) { self.path = path }

    /// Blocks the thread.
    ///
    /// - Throws: ``KeyFileError`` when the file cannot be read, or is no key file.
    package func decryptor() throws(KeyFileError) -> PasswordDecryptor {
        let known = last.withLock { $0 }
        if let known, SmallFile.version(path) == known.version { return known.decryptor }
        let (content, version) = try read()
        let decryptor = try PasswordDecryptor(content, of: path)
        last.withLock { $0 = (version, decryptor) }
        return decryptor
    }

    private func read() throws(KeyFileError) -> (content: [UInt8], version: SmallFile.Version) {
        do throws(FileError) {
            return try SmallFile.read(path)
        } catch {
            throw KeyFileError("the key file \(error)")
        }
    }
}
