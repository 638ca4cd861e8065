public import Huey

/// One promise of a storage.
public struct StorageCheck: Sendable, CustomStringConvertible {
    /// The protocol that makes the promise.
    public enum Contract: String, Sendable, CaseIterable {
        case storage = "Storage"
        case acknowledging = "AcknowledgingStorage"
        case locking = "LockingStorage"
        case unique = "UniqueStorage"
        case ticking = "TickingStorage"
        case idempotent = "IdempotentStorage"
        case deadLetters = "DeadLetterStorage"
        case chargingSchedule = "ChargingSchedule"

        /// Whether a storage conforms to the protocol.
        public func isKept(by storage: any Storage) -> Bool {
            switch self {
            case .storage: true
            case .acknowledging: storage is any AcknowledgingStorage
            case .locking: storage is any LockingStorage
            case .unique: storage is any UniqueStorage
            case .ticking: storage is any TickingStorage
            case .idempotent: storage is any IdempotentStorage
            case .deadLetters: storage is any DeadLetterStorage
            case .chargingSchedule: storage is any ChargingSchedule
            }
        }
    }

    /// Whether a storage has what a check is about.
    public enum Outcome: Sendable {
        case kept
        /// It does not conform to the protocol, or has no priorities.
        case notApplicable
    }

    /// What came of a check.
    public struct Report: Sendable, CustomStringConvertible {
        public let check: StorageCheck
        /// ``StorageViolation`` for a promise that is broken, or what the storage threw.
        public let result: Result<Outcome, any Error>

        /// One line: `ok`, `--` for a protocol that the storage does not conform to, or `FAIL`; and the promise.
        public var description: String {
            switch result {
            case .success(.kept): "ok   \(check)"
            case .success(.notApplicable): "--   \(check)"
            case .failure(let error): "FAIL \(check): \(error)"
            }
        }
    }

    /// The protocols that a storage conforms to of which the promise is, the one that makes it first.
    public let contracts: [Contract]
    /// Whether the promise is one of storages with priorities.
    public let needsPriority: Bool
    /// The promise, in words.
    public let promise: String
    let body: @Sendable (CheckRun) async throws -> Void

    init(
        _ contract: Contract,
        and others: [Contract] = [],
        needsPriority: Bool = false,
        _ promise: String,
        _ body: @escaping @Sendable (CheckRun) async throws -> Void
    ) {
        contracts = [contract] + others
        self.promise = promise
        self.needsPriority = needsPriority
        self.body = body
    }

    public var description: String { "\(contracts.map(\.rawValue).joined(separator: ", ")): \(promise)" }

    func applies(_ run: CheckRun) async throws -> Bool {
        let storage = try await run.storage()
        return contracts.allSatisfy { $0.isKept(by: storage) } && (!needsPriority || storage.supportsPriority)
    }
}

/// A promise that a storage has broken.
public struct StorageViolation: Error, Sendable, CustomStringConvertible {
    /// What was expected.
    public let expected: String
    /// What was there instead.
    public let found: String
    /// The line of the check.
    public let line: UInt
    /// The file of the check.
    public let file: String

    init(_ expected: String, found: String, file: String = #fileID, line: UInt = #line) {
        self.expected = expected
        self.found = found
        self.file = file
        self.line = line
    }

    public var description: String { "expected \(expected), found \(found) (\(file):\(line))" }
}

/// Requires a value.
///
/// - Throws: ``StorageViolation``.
func expect<Value: Equatable>(
    _ found: Value,
    _ expected: Value,
    _ what: String = "",
    file: String = #fileID,
    line: UInt = #line
) throws {
    guard found != expected else { return }
    let subject = what.isEmpty ? "" : what + ": "
    throw StorageViolation(subject + "\(expected)", found: "\(found)", file: file, line: line)
}

/// Requires a condition.
///
/// - Throws: ``StorageViolation``.
func expect(_ condition: Bool, _ what: String, file: String = #fileID, line: UInt = #line) throws {
    guard condition else { throw StorageViolation(what, found: "the contrary", file: file, line: line) }
}

/// Requires something that is there.
///
/// - Throws: ``StorageViolation``.
func require<Value>(_ found: Value?, _ what: String, file: String = #fileID, line: UInt = #line) throws -> Value {
    guard let found else { throw StorageViolation(what, found: "nothing", file: file, line: line) }
    return found
}

/// Requires a ``/Huey/HueyError`` of a kind.
///
/// - Throws: ``StorageViolation``.
func expectError(
    _ code: HueyError.Code,
    _ what: String,
    file: String = #fileID,
    line: UInt = #line,
    _ body: () async throws -> Void
) async throws {
    do { try await body() } catch let error as HueyError where error.code == code { return } catch {
        throw StorageViolation("\(what): HueyError \(code)", found: "\(error)", file: file, line: line)
    }
    throw StorageViolation("\(what): HueyError \(code)", found: "no error", file: file, line: line)
}
