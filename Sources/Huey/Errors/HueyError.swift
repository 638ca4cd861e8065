/// What can go wrong in the library itself. Never holds arguments of a task or a secret.
public struct HueyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of a ``HueyError``.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String

        private init(_ description: String) { self.description = description }

        /// A message that cannot be decoded.
        public static let malformedMessage = Code("malformedMessage")
        /// A message or result that is not signed, or with another secret. huey raises `ValueError`.
        public static let badSignature = Code("badSignature")
        /// No task is registered under that name.
        public static let unknownTask = Code("unknownTask")
        /// A task is registered under that name already.
        public static let duplicateTask = Code("duplicateTask")
        /// The chosen wire version has no field for something that the message carries.
        public static let wireTooOld = Code("wireTooOld")
        /// The storage kind has no priorities. huey raises `NotImplementedError`.
        public static let priorityNotSupported = Code("priorityNotSupported")
        /// The storage cannot do what was asked. huey raises `NotImplementedError`.
        public static let notSupported = Code("notSupported")
        /// A moment that Python's `datetime` or the C library cannot express. Python raises `OverflowError` or `ValueError`.
        public static let dateOutOfRange = Code("dateOutOfRange")
        /// The instance stores no results, so there is none to wait for.
        public static let resultsDisabled = Code("resultsDisabled")
        /// No result came within the time allowed. huey raises `ResultTimeout`.
        public static let resultTimeout = Code("resultTimeout")
        /// A message or result larger than the instance's options allow.
        public static let tooLarge = Code("tooLarge")
        /// An option or argument that makes no sense. huey raises `ConfigurationError` or `ValueError`.
        public static let invalidConfiguration = Code("invalidConfiguration")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static func malformedMessage(_ message: String) -> HueyError { HueyError(.malformedMessage, message) }

    static func tooLarge(_ what: String, _ count: Int, _ limit: Int) -> HueyError {
        HueyError(.tooLarge, "\(what) has \(count) bytes, more than the \(limit) allowed")
    }

    static func wireTooOld(_ wire: WireVersion, field: String) -> HueyError {
        HueyError(.wireTooOld, "huey's wire \(wire.rawValue) has no field for \(field)")
    }
}
