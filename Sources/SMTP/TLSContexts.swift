internal import NIOPosix
internal import NIOSSL
internal import Synchronization
internal import Transport

/// TLS contexts, each made once: reading all the system's authorities takes long.
package final class TLSContexts: Sendable {
    private struct Key: Hashable {
        var verification: SMTPServer.Verification
        var authorityFile: String?
    }

    private let contexts = Mutex<[Key: NIOSSLContext]>([:])

    package init() {}

    func context(for server: SMTPServer) async throws(SMTPError) -> NIOSSLContext {
        let key = Key(verification: server.verification, authorityFile: server.authorityFile)
        if let known = contexts.withLock({ $0[key] }) { return known }
        do {
            let made = try await NIOThreadPool.singleton.runIfActive { try Self.make(key) }
            contexts.withLock { $0[key] = made }
            return made
        } catch {
            let file = key.authorityFile.map { " (with the authorities in \($0))" } ?? ""
            throw SMTPError(.tlsFailed, at: .tls, "TLS cannot be set up\(file): \(error)")
        }
    }

    private static func make(_ key: Key) throws -> NIOSSLContext {
        var configuration = TLSPolicy.clientConfiguration()
        configuration.certificateVerification =
            switch key.verification {
            case .full: .fullVerification
            case .none: .none
            }
        if let file = key.authorityFile {
            configuration.additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMFile(file)))
        }
        return try NIOSSLContext(configuration: configuration)
    }
}
