internal import BigInt

/// A path of `pathlib`.
public struct PicklePath: Sendable, Hashable, PickleCodable {
    /// The class: `PurePosixPath`, `PosixPath`, `PureWindowsPath` …
    public var type: String
    /// What it is joined from, such as `/`, `usr`, `bin`.
    public var parts: [String]

    public init(type: String = "PurePosixPath", parts: [String]) {
        self.type = type
        self.parts = parts
    }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let name = object.className,
            name.module == "pathlib" || name.module.hasPrefix("pathlib.")
        else { throw PickleError.mismatch(expected: "pathlib path", found: pickle) }
        let parts = object.arguments.compactMap(\.string)
        guard parts.count == object.arguments.count else {
            throw PickleError.mismatch(expected: "pathlib path", found: pickle)
        }
        self.init(type: name.name, parts: parts)
    }

    /// `str(path)`, but for what Python normalises: empty parts and dots.
    public var text: String {
        let separator = type.contains("Windows") ? "\\" : "/"
        var text = ""
        for part in parts {
            if !text.isEmpty, !text.hasSuffix(separator) { text += separator }
            text += part
        }
        return text.isEmpty ? "." : text
    }

    public func encode(to writer: inout PickleWriter) throws {
        try PickleValue.call("pathlib", type, parts.map { .string($0) }).encode(to: &writer)
    }
}

/// An address, network or interface of `ipaddress`.
public struct PickleIPAddress: Sendable, Hashable, PickleCodable, CustomStringConvertible {
    /// The class: `IPv4Address`, `IPv6Address`, `IPv4Network` …
    public var type: String
    /// As Python prints it: `10.0.0.1`, `::1`, `10.0.0.0/8`.
    public var text: String

    public init(type: String, text: String) {
        self.type = type
        self.text = text
    }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let name = object.className, name.module == "ipaddress",
            object.arguments.count == 1
        else { throw PickleError.mismatch(expected: "IP address", found: pickle) }
        let argument = object.arguments[0]
        if let text = argument.string {
            self.init(type: name.name, text: text)
        } else if let number = argument.bigInt, let text = Self.text(number, isLong: name.name.hasPrefix("IPv6")) {
            self.init(type: name.name, text: text)
        } else {
            throw PickleError.mismatch(expected: "IP address", found: pickle)
        }
    }

    /// An IPv4 address is written as an int, everything else as text, as CPython 3.11 does; every release reads both.
    public func encode(to writer: inout PickleWriter) throws {
        var argument = PickleValue.string(text)
        if type == "IPv4Address" {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
            guard parts.count == 4 else { throw PickleError(.notEncodable, "no IPv4 address: \(text)") }
            argument = .int(parts.reduce(0) { $0 << 8 | Int($1) })
        }
        try PickleValue.call("ipaddress", type, [argument]).encode(to: &writer)
    }

    public var description: String { text }

    private static func text(_ number: BigInt, isLong: Bool) -> String? {
        guard number.signum() >= 0, number.bitWidth <= (isLong ? 129 : 33) else { return nil }
        if !isLong { return (0..<4).reversed().map { String((number >> ($0 * 8)) & 0xFF) }.joined(separator: ".") }
        let groups = (0..<8).reversed().map { String((number >> ($0 * 16)) & 0xFFFF, radix: 16) }
        // The longest run of two or more zeros, the first of equals, becomes "::".
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == "0" { end += 1 }
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start + 1)
        }
        if best.isEmpty { return groups.joined(separator: ":") }
        return groups[..<best.lowerBound].joined(separator: ":") + "::"
            + groups[best.upperBound...].joined(separator: ":")
    }
}

/// `decimal.Decimal` of any precision, as the text that `Decimal()` reads; Foundation's `Decimal` holds 38 digits.
public struct PickleDecimal: Sendable, Hashable, PickleCodable, CustomStringConvertible {
    /// Such as `-12.50`, `1E+3`, `NaN`, `Infinity`.
    public var text: String

    public init(_ text: String) { self.text = text }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "decimal", "Decimal"), object.arguments.count == 1,
            let text = object.arguments[0].string
        else { throw PickleError.mismatch(expected: "decimal.Decimal", found: pickle) }
        self.text = text
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "decimal", name: "Decimal", argumentCount: 1) { $0.write(text) }
    }

    public var description: String { text }
}
