import Foundation
import TestSupport
import Testing

@testable import EduMFAQueue
@testable import SMTP

@Suite("Passwords of mail servers")
struct PasswordTests {
    private func withFile<R>(_ bytes: [UInt8], _ body: (String) async throws -> R) async throws -> R {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID())")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body(file.path)
    }

    @Test func eachIsWhatEduMFAMakesOfIt() async throws {
        let passwords = try MailFixture.load().passwords
        try await withFile(passwords.keys.bytes) { path in
            let keys = MailPasswords.keyFile(KeyFile(path: path))
            #expect(await keys.problem() == nil)
            for value in passwords.values {
                let password = try await keys.password(value.stored)
                #expect(password == value.password, "\(value.stored)")
            }
        }
        // The fixture has both: what decrypts, and what does not.
        #expect(passwords.values.contains { $0.stored == $0.password })
        #expect(passwords.values.contains { $0.password == "pässwörd €" })
    }

    private func failure(_ path: String) async throws -> MailFailure {
        let keys = MailPasswords.keyFile(KeyFile(path: path))
        let failure = await #expect(throws: MailFailure.self) { try await keys.password("00:11") }
        return try #require(failure)
    }

    @Test func aFileThatCannotBeUsedMakesMailWait() async throws {
        let missing = try await failure("/no/such/file")
        #expect(missing.kind == .transient)
        #expect(missing.reason.contains("/no/such/file does not exist"))
        #expect(missing.reason.contains("errno 2"))
        let directory = try await failure(NSTemporaryDirectory())
        #expect(directory.kind == .transient)
        #expect(directory.reason.contains("no regular file"))
        let protected = try await withFile(Array(repeating: 48, count: 260)) { try await failure($0) }
        #expect(protected.reason.contains("protected with a password"))
        for count in [0, 31, 63] {
            let short = try await withFile(Array(repeating: 7, count: count)) { try await failure($0) }
            #expect(short.kind == .transient && short.reason.contains("\(count) bytes"))
        }
    }

    @Test func forbiddenIsNotMissing() throws {
        // Root may read everything: the words are tested instead.
        #expect(FileError("/x", errno: EACCES).description == "/x may not be read: permission denied (errno 13)")
        #expect(FileError("/x", errno: ENOENT).description == "/x does not exist: no such file or directory (errno 2)")
    }

    @Test func theFileIsReadAgainWhenItChanges() async throws {
        let passwords = try MailFixture.load().passwords
        let encrypted = try #require(passwords.values.first { $0.stored != $0.password && !$0.password.isEmpty })
        try await withFile(Array(repeating: 1, count: 96)) { path in
            let keys = MailPasswords.keyFile(KeyFile(path: path))
            var password = try await keys.password(encrypted.stored)
            #expect(password == encrypted.stored)
            try Data(passwords.keys.bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
            password = try await keys.password(encrypted.stored)
            #expect(password == encrypted.password)
            try FileManager.default.removeItem(atPath: path)
            await #expect(throws: MailFailure.self) { try await keys.password(encrypted.stored) }
            try Data(passwords.keys.bytes).write(to: URL(fileURLWithPath: path))
            password = try await keys.password(encrypted.stored)
            #expect(password == encrypted.password)
        }
    }

    @Test func withoutKeysNoCiphertextIsOffered() async {
        let passwords = MailPasswords.unavailable("EDUMFA_HSM_MODULE is another one")
        let failure = await #expect(throws: MailFailure.self) { try await passwords.password("00:11") }
        #expect(failure?.kind == .permanent)
        #expect(failure?.reason.contains("EDUMFA_HSM_MODULE") == true)
    }
}
