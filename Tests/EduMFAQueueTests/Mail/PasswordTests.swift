import Foundation
import TestSupport
import Testing

@testable import EduMFAQueue

@Suite("Passwords of mail servers")
struct PasswordTests {
    private func withFile<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID())")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try body(file.path)
    }

    @Test func eachIsWhatEduMFAMakesOfIt() throws {
        let passwords = try MailFixture.load().passwords
        let decryptor = try withFile(passwords.keys.bytes) { try PasswordDecryptor(keyFile: $0) }
        for value in passwords.values {
            #expect(decryptor.password(value.stored) == value.password, "\(value.stored)")
        }
        // The fixture has both: what decrypts, and what does not.
        #expect(passwords.values.contains { $0.stored == $0.password })
        #expect(passwords.values.contains { $0.password == "pässwörd €" })
    }

    @Test func aKeyFileWithAPasswordIsRefused() throws {
        let error = #expect(throws: KeyFileError.self) {
            try withFile(Array(repeating: 48, count: 260)) { try PasswordDecryptor(keyFile: $0) }
        }
        #expect(error?.description.contains("protected with a password") == true)
    }

    @Test(arguments: [0, 31, 63])
    func aKeyFileThatIsTooShortIsRefused(count: Int) throws {
        #expect(throws: KeyFileError.self) {
            try withFile(Array(repeating: 7, count: count)) { try PasswordDecryptor(keyFile: $0) }
        }
    }

    @Test func aKeyFileThatIsNotThereIsRefused() {
        #expect(throws: KeyFileError.self) { try PasswordDecryptor(keyFile: "/no/such/file") }
    }

    @Test func withoutKeysNoCiphertextIsOffered() {
        let passwords = MailPasswords.unavailable("EDUMFA_HSM_MODULE is another one")
        let failure = #expect(throws: MailFailure.self) { try passwords.password("00:11") }
        #expect(failure?.kind == .permanent)
        #expect(failure?.reason.contains("EDUMFA_HSM_MODULE") == true)
    }
}
