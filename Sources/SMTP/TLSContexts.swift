internal import NIOPosix
internal import NIOSSL
internal import Synchronization
internal import Transport

/// TLS contexts, each made once: reading all the system's authorities takes long. One with a file of authorities is made anew when the file
/// has changed.
package final class TLSContexts: Sendable {
    private struct Key: Hashable {
        var verification: SMTPServer.Verification
        var authorityFile: String?
    }

    private struct Entry {
        var context: NIOSSLContext
        /// The state of the file that the context was made of.
        var version: SmallFile.Version?
    }

    private let contexts = Mutex<[Key: Entry]>([:])

    package init() {}

    /// - Throws: ``SMTPError/Code/tlsFailed`` for a file of authorities that cannot be used.
    func context(for server: SMTPServer) async throws(SMTPError) -> NIOSSLContext {
        let key = Key(verification: server.verification, authorityFile: server.authorityFile)
        let known = contexts.withLock { $0[key] }
        if let known, key.authorityFile == nil { return known.context }
        do {
            let made = try await NIOThreadPool.singleton.runIfActive {
                if let known, let path = key.authorityFile, SmallFile.version(path) == known.version { return known }
                return try Self.make(key)
            }
            contexts.withLock { $0[key] = made }
            return made.context
        } catch let error as FileError {
            throw SMTPError(.tlsFailed, at: .tls, "TLS cannot be set up: the file of authorities \(error)")
        } catch {
            let file = key.authorityFile.map { " (with the authorities in \($0))" } ?? ""
            throw SMTPError(.tlsFailed, at: .tls, "TLS cannot be set up\(file): \(error)")
        }
    }

    /// Why a file of authorities cannot be used now; `nil` when it can.
    package static func problem(authorityFile path: String) async -> String? {
        do {
            _ = try await NIOThreadPool.singleton.runIfActive { try authorities(path) }
            return nil
        } catch let error as FileError {
            return "the file of authorities \(error)"
        } catch {
            return "the file of authorities \(path) holds no certificates: \(error)"
        }
    }

    private static func make(_ key: Key) throws -> Entry {
        var configuration = TLSPolicy.clientConfiguration()
        configuration.certificateVerification =
            switch key.verification {
            case .full: .fullVerification
            case .none: .none
            }
        var version: SmallFile.Version?
        if let file = key.authorityFile {
            let trusted = try authorities(file)
            configuration.additionalTrustRoots.append(.certificates(trusted.certificates))
            version = trusted.version
        }
        return Entry(context: try NIOSSLContext(configuration: configuration), version: version)
    }

    private static func authorities(
        _ path: String
    ) throws -> (certificates: [NIOSSLCertificate], version: SmallFile.Version) {
        let (content, version) = try SmallFile.read(path, limit: 16 << 20)
        return (try NIOSSLCertificate.fromPEMBytes(content), version)
    }
}
