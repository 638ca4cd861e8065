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

    /// - Throws: ``PickleError`` `.typeMismatch`, also for text that is no address of the class.
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let name = object.className, name.module == "ipaddress",
            let form = IPAddressForm(className: name.name), object.arguments.count == 1
        else { throw PickleError.mismatch(expected: "IP address", found: pickle) }
        let argument = object.arguments[0]
        if argument.textLength <= 200, let text = argument.string, form.accepts(text) {
            self.init(type: name.name, text: text)
        } else if let number = argument.bigInt(bits: 128), let text = Self.text(number, isLong: form.isLong) {
            self.init(type: name.name, text: form.isAddress ? text : text + (form.isLong ? "/128" : "/32"))
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

/// What the classes of `ipaddress` take as text.
private struct IPAddressForm {
    let isLong: Bool
    /// Neither a network nor an interface, which have a prefix length.
    let isAddress: Bool

    init?(className: String) {
        switch className {
        case "IPv4Address", "IPv6Address": isAddress = true
        case "IPv4Network", "IPv6Network", "IPv4Interface", "IPv6Interface": isAddress = false
        default: return nil
        }
        isLong = className.hasPrefix("IPv6")
    }

    func accepts(_ text: String) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard !isAddress, (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(Self.isDigit),
                let length = Int(parts[1]), length <= (isLong ? 128 : 32)
            else { return false }
        }
        return isLong ? Self.isIPv6(parts[0]) : Self.isIPv4(parts[0])
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                // Python refuses leading zeros: some read them as octal.
                part.utf8.allSatisfy(isDigit) && UInt8(part) != nil && (part == "0" || part.first != "0")
            }
    }

    private static func isIPv6(_ text: Substring) -> Bool {
        let scoped = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        if scoped.count == 2, scoped[1].isEmpty || scoped[1].contains("%") { return false }
        var groups = scoped[0].split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count >= 3, let last = groups.last else { return false }
        if last.contains(".") {
            guard isIPv4(last) else { return false }
            groups.replaceSubrange(groups.count - 1..<groups.count, with: ["0", "0"])
        }
        // `::` leaves one group empty, or two at an end of the text.
        if groups.count > 2, groups[0].isEmpty, groups[1].isEmpty { groups.removeFirst() }
        if groups.count > 1, groups[groups.count - 1].isEmpty, groups[groups.count - 2].isEmpty { groups.removeLast() }
        let empty = groups.count { $0.isEmpty }
        let isComplete = empty == 0 ? groups.count == 8 : empty == 1 && groups.count <= 8
        return isComplete
            && groups.allSatisfy { $0.utf8.count <= 4 && $0.utf8.allSatisfy { hexDigit($0) != nil } }
            && (empty == 1 || !groups[0].isEmpty)
    }
}

/// `decimal.Decimal` of any precision, as the text that `Decimal()` reads; Foundation's `Decimal` holds 38 digits.
public struct PickleDecimal: Sendable, Hashable, PickleCodable, CustomStringConvertible {
    /// Such as `-12.50`, `1E+3`, `NaN`, `Infinity`.
    public var text: String

    public init(_ text: String) { self.text = text }

    /// - Throws: ``PickleError`` `.typeMismatch`, also for text that is no number (Python's `InvalidOperation`).
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "decimal", "Decimal"), object.arguments.count == 1,
            let text = object.arguments[0].string, Self.isNumber(text)
        else { throw PickleError.mismatch(expected: "decimal.Decimal", found: pickle) }
        self.text = text
    }

    /// Whether `Decimal()` would read the text: the grammar of its documentation, in ASCII.
    private static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func dropDigits() -> Int {
            let count = rest.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == 0x2B || rest.first == 0x2D { rest = rest.dropFirst() }
        if let letter = rest.first, letter | 0x20 >= 0x61 {
            let word = String(decoding: rest.prefix(9), as: UTF8.self).lowercased()
            if word == "inf" || word == "infinity" { return true }
            guard word.hasPrefix("nan") || word.hasPrefix("snan") else { return false }
            rest = rest.dropFirst(word.hasPrefix("s") ? 4 : 3)
            _ = dropDigits()
            return rest.isEmpty
        }
        var digits = dropDigits()
        if rest.first == 0x2E {
            rest = rest.dropFirst()
            digits += dropDigits()
        }
        guard digits > 0 else { return false }
        if let mark = rest.first, mark | 0x20 == 0x65 {
            rest = rest.dropFirst()
            if rest.first == 0x2B || rest.first == 0x2D { rest = rest.dropFirst() }
            guard dropDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "decimal", name: "Decimal", argumentCount: 1) { $0.write(text) }
    }

    public var description: String { text }
}
