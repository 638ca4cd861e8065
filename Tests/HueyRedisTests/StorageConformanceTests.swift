import ExampleStorage
import Foundation
import Huey
import HueyRedis
import HueyStorageConformance
import TestSupport
import Testing

// One after the other: hundreds of storages at once take more connections, and time, than a machine has.
@Suite("Every storage keeps its promises", .serialized)
struct StorageConformanceTests {
    @Test("all that it conforms to", arguments: StorageKind.allCases, StorageConformance.checks)
    func checks(kind: StorageKind, check: StorageCheck) async throws {
        let outcome = try await kind.conformance().run(check)
        #expect((outcome == .kept) == kind.promises(check))
    }

    @Test(
        "results are waited for by notification, too",
        arguments: StorageKind.allCases.filter(\.isRedis),
        StorageConformance.checks.filter {
            $0.promise.contains("waited for") || $0.promise.contains("wait for a result")
        }
    )
    func notified(kind: StorageKind, check: StorageCheck) async throws {
        try await kind.conformance { $0.notifyResult = true }.run(check)
    }

    @Test("a storage written through public API alone", arguments: StorageConformance.checks)
    func example(check: StorageCheck) async throws {
        let directory = NSTemporaryDirectory() + "/storage-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let outcome = try await StorageConformance { _ in OneFileStorage(directory: directory) }.run(check)
        #expect((outcome == .kept) == check.contracts.allSatisfy { $0 == .storage || $0 == .acknowledging })
    }
}

/// A storage that breaks a promise is found out.
@Suite("The checks of storages")
struct StorageCheckTests {
    @Test("name the promise that is broken")
    func violations() async throws {
        let conformance = StorageConformance(inMemory: { ForgetfulStorage(answers: true) })
        let failures = await conformance.run().filter { (try? $0.result.get()) == nil }.map(\.check.promise)
        #expect(failures.contains("what is given back comes out again, first and in order"))
        #expect(failures.contains("only the first of many gets to store a value where there is none"))
        #expect(!failures.contains("messages come out first in, first out"))
    }

    @Test("end when a storage does not")
    func limit() async throws {
        var choices = StorageConformance.Choices()
        choices.limit = .milliseconds(50)
        let conformance = StorageConformance(choices: choices, inMemory: { ForgetfulStorage(answers: false) })
        let check = try #require(StorageConformance.checks.first { $0.promise == "it answers a ping" })
        let error = await #expect(throws: StorageViolation.self) { try await conformance.run(check) }
        #expect(error?.description.hasPrefix("expected it ends, found nothing after") == true)
    }
}

extension StorageKind {
    /// The checks for storages of this kind, on the server that all tests share.
    func conformance(change: @escaping @Sendable (inout RedisStorageOptions) -> Void = { _ in }) -> StorageConformance {
        if self == .memory { return StorageConformance(inMemory: { MemoryStorage() }) }
        var choices = StorageConformance.Choices()
        choices.popRemoves = popRemoves
        return StorageConformance(choices: choices) { name in
            try unbound(name: name) { options in
                options.readTimeout = .seconds(600)
                change(&options)
            }
        }
    }

    /// Whether this kind of storage makes a promise: silently not to conform to a protocol is a failure, too.
    func promises(_ check: StorageCheck) -> Bool {
        if check.needsPriority, [.redis, .redisExpire, .valkeyGlide].contains(self) { return false }
        return isRedis || check.contracts.allSatisfy { $0 == .storage || $0 == .deadLetters }
    }
}
