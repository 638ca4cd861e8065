/// How much one pickle may cost its reader. What passes a limit is refused with an error of its own.
public struct PickleLimits: Sendable, Hashable {
    /// Most bytes of one pickle: 256 MiB. Never more than 512 MiB.
    public var bytes: Int = 1 << 28
    /// Most nodes (values that the opcodes create): 32 Mi. A node takes about 24 bytes of memory.
    public var nodes: Int = 1 << 25
    /// Most bytes that decoding takes for its tables, beside a copy of the pickle: 512 MiB.
    ///
    /// Every table counts, whatever opcode fills it: nodes, references, the records of objects, the stack, the memo, text that had
    /// escapes. Two bytes of a pickle can take 48 of memory.
    public var memory: Int = 1 << 29
    /// Deepest nesting of containers and objects: 10,000. Never more than 65,000.
    public var nesting: Int = 10_000
    /// Most nodes and bytes of text that shared values add when every reference to them is followed: 16 Mi.
    ///
    /// A pickle of 200 bytes can hold a value that prints as gigabytes, because each level holds the level below twice.
    public var expansion: Int = 1 << 24
    /// Most digits of a decimal integer that is parsed or printed: 4300, as in CPython (`sys.set_int_max_str_digits`).
    ///
    /// Binary integers have no such limit.
    public var integerDigits: Int = 4300

    /// The defaults, safe for pickles of strangers.
    public static let `default` = PickleLimits()
    /// The most that the format of this module can hold; of digits 100,000, because decimal conversion is quadratic.
    public static let unlimited = PickleLimits(
        bytes: .max,
        nodes: .max,
        nesting: .max,
        expansion: .max,
        integerDigits: .max,
        memory: .max
    )

    /// Makes limits; what is left out keeps its default.
    public init(
        bytes: Int = 1 << 28,
        nodes: Int = 1 << 25,
        nesting: Int = 10_000,
        expansion: Int = 1 << 24,
        integerDigits: Int = 4300,
        memory: Int = 1 << 29
    ) {
        self.bytes = bytes
        self.nodes = nodes
        self.nesting = nesting
        self.expansion = expansion
        self.integerDigits = integerDigits
        self.memory = memory
    }
}
