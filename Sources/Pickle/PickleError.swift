/// Why a pickle could not be read, written or turned into a Swift value.
public struct PickleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, for a program to switch on.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Base: String, Sendable {
            case truncated, invalidOpcode, unsupportedProtocol, stackUnderflow, missingMark, badMemo, badValue
            case badStructure, unhashable, byteLimit, nodeLimit, nestingLimit, expansionLimit, digitLimit, memoryLimit
            case typeMismatch, notEncodable, wrongCount
        }
        let base: Base

        /// The input ends before its STOP.
        public static let truncated = Code(base: .truncated)
        /// A byte that is no opcode.
        public static let invalidOpcode = Code(base: .invalidOpcode)
        /// A protocol above 5, or one that cannot be written.
        public static let unsupportedProtocol = Code(base: .unsupportedProtocol)
        /// An opcode takes more than the stack holds.
        public static let stackUnderflow = Code(base: .stackUnderflow)
        /// An opcode needs a MARK and there is none.
        public static let missingMark = Code(base: .missingMark)
        /// A memo entry that was never stored, or a bad index.
        public static let badMemo = Code(base: .badMemo)
        /// An argument that does not parse: a number, a string escape, UTF-8.
        public static let badValue = Code(base: .badValue)
        /// An opcode applied to what it cannot be applied to, such as APPEND to a str.
        public static let badStructure = Code(base: .badStructure)
        /// A list, dict, set or bytearray as a dict's key or a set's element.
        public static let unhashable = Code(base: .unhashable)
        /// ``PickleLimits/bytes`` was passed.
        public static let byteLimit = Code(base: .byteLimit)
        /// ``PickleLimits/nodes`` was passed.
        public static let nodeLimit = Code(base: .nodeLimit)
        /// ``PickleLimits/nesting`` was passed.
        public static let nestingLimit = Code(base: .nestingLimit)
        /// ``PickleLimits/expansion`` was passed.
        public static let expansionLimit = Code(base: .expansionLimit)
        /// ``PickleLimits/integerDigits`` was passed.
        public static let digitLimit = Code(base: .digitLimit)
        /// ``PickleLimits/memory`` was passed.
        public static let memoryLimit = Code(base: .memoryLimit)
        /// The pickle holds another type than the one asked for.
        public static let typeMismatch = Code(base: .typeMismatch)
        /// A value that this protocol, or pickle, has no form for.
        public static let notEncodable = Code(base: .notEncodable)
        /// A container was announced with one count and written with another.
        public static let wrongCount = Code(base: .wrongCount)

        public var description: String { base.rawValue }
    }

    /// What went wrong.
    public var code: Code
    /// Where in the pickle, in bytes from its start, when that is known.
    public var offset: Int?
    /// What went wrong, for people. Holds at most a short excerpt of the input.
    public var message: String

    /// Makes an error; also for decoders of your own.
    public init(_ code: Code, at offset: Int? = nil, _ message: String) {
        self.code = code
        self.offset = offset
        self.message = message
    }

    /// "expected int, found str 'abc'".
    public static func mismatch(expected: String, found view: PickleView) -> PickleError {
        PickleError(.typeMismatch, "expected \(expected), found \(view.summary)")
    }

    public var description: String {
        if let offset { "\(message) (at byte \(offset))" } else { message }
    }
}
