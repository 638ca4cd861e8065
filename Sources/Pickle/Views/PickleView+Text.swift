internal import BigInt

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension PickleView {
    /// Python's `str()` of strings, numbers, containers, exceptions and the standard library's values; ``repr`` of anything else. Lone
    /// surrogates are escaped, as Python writes them to a terminal.
    public var text: String { text(depth: 0) }

    /// What is nested deeper than this, exceptions in exceptions, is told as its ``repr``.
    private static let mostDepth = 20

    func text(depth: Int) -> String {
        if let string { return string }
        if kind == .string { return escapedText }
        guard let object, let names = object.className, depth < Self.mostDepth else { return repr }
        if let text = standardText(names) { return text }
        let isException =
            names.module == "huey.exceptions" || ExceptionText.otherNames.contains(names.name)
            || ["Error", "Exception", "Warning"].contains { names.name.hasSuffix($0) }
            || ExceptionText.systemErrors.contains(names.description)
        guard isException else { return repr }
        return ExceptionText(module: names.module, name: names.name, object, depth: depth + 1).text
    }

    /// A str with lone surrogates, these escaped.
    private var escapedText: String {
        (surrogateScalars ?? []).map { point in
            Unicode.Scalar(point).map(String.init) ?? "\\u\(hex(point, 4))"
        }.joined()
    }

    /// The code points of a str; surrogates are code points, too.
    var surrogateScalars: [UInt32]? {
        if let string { return string.unicodeScalars.map(\.value) }
        guard let bytes = surrogateUTF8 else { return nil }
        var points: [UInt32] = []
        for byte in bytes {
            switch byte {
            case 0..<0x80: points.append(UInt32(byte))
            case 0x80..<0xC0: points.append((points.popLast() ?? 0) << 6 | UInt32(byte & 0x3F))
            default: points.append(UInt32(byte) & (byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0x0F : 0x07))
            }
        }
        return points
    }

    /// The values of the standard library whose `str()` is not their `repr()`.
    private func standardText(_ names: PickleGlobal) -> String? {
        switch names.module {
        case "datetime":
            (try? PickleDateTime(pickle: self))?.description ?? (try? PickleDate(pickle: self))?.text
                ?? (try? PickleTime(pickle: self))?.text ?? (try? PickleTimeDelta(pickle: self))?.text
        case "decimal": (try? PickleDecimal(pickle: self))?.text
        case "uuid": (try? UUID(pickle: self))?.uuidString.lowercased()
        case "fractions":
            (try? PickleFraction(pickle: self)).map {
                $0.denominator == 1 ? "\($0.numerator)" : "\($0.numerator)/\($0.denominator)"
            }
        case "ipaddress": (try? PickleIPAddress(pickle: self))?.text
        default: (try? PicklePath(pickle: self))?.text
        }
    }
}

extension PickleException {
    /// Python's `str()`: for most exceptions the argument, the tuple of them where there are several; for those of CPython, its standard
    /// library and huey that have a `__str__` of their own, what that says to CPython 3.13.
    public var text: String {
        guard let view = try? PickleDocument(pickled()).root, let object = view.object else { return repr }
        return ExceptionText(module: module, name: name, object).text
    }
}
