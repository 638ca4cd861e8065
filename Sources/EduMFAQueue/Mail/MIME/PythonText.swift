internal import Pickle

/// A Python str of moderate length: code points, lone surrogates included.
struct PythonText: Sendable, Hashable {
    var points: [UInt32]

    init(_ points: some Sequence<UInt32>) { self.points = Array(points) }

    init(_ text: String) { points = text.unicodeScalars.map(\.value) }

    /// A str; `nil` for anything else.
    init?(_ view: PickleView) {
        guard let bytes = view.surrogateUTF8 else { return nil }
        points = []
        points.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let length = bytes[index] < 0x80 ? 1 : bytes[index] < 0xE0 ? 2 : bytes[index] < 0xF0 ? 3 : 4
            var point = UInt32(bytes[index]) & (length == 1 ? 0x7F : 0xFF >> UInt32(length + 1))
            for place in 1..<max(length, 1) where index + place < bytes.count {
                point = point << 6 | UInt32(bytes[index + place] & 0x3F)
            }
            points.append(point)
            index += length
        }
    }

    var isEmpty: Bool { points.isEmpty }
    var isASCII: Bool { points.allSatisfy { $0 < 0x80 } }
    var hasSurrogates: Bool { points.contains { (0xD800...0xDFFF).contains($0) } }

    /// Python's `encode('ascii', 'surrogateescape')`; `nil` where that raises.
    var escapedBytes: [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(points.count)
        for point in points {
            guard point < 0x80 || (0xDC80...0xDCFF).contains(point) else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: point))
        }
        return bytes
    }

    /// UTF-8; `nil` when there are lone surrogates.
    var utf8: [UInt8]? { hasSurrogates ? nil : Array(string.utf8) }

    /// With U+FFFD for lone surrogates.
    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: points.map { Unicode.Scalar($0) ?? "\u{FFFD}" })
        return String(view)
    }

    /// `str.splitlines()`.
    var lines: [PythonText] {
        var lines: [PythonText] = []
        var start = 0
        var index = 0
        while index < points.count {
            guard Self.endsLine(points[index]) else {
                index += 1
                continue
            }
            lines.append(PythonText(points[start..<index]))
            index += points[index] == 0x0D && index + 1 < points.count && points[index + 1] == 0x0A ? 2 : 1
            start = index
        }
        if start < points.count { lines.append(PythonText(points[start...])) }
        return lines
    }

    private static func endsLine(_ point: UInt32) -> Bool {
        switch point {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// `str.isspace()` of one character.
    static func isSpace(_ point: UInt32) -> Bool {
        (0x1C...0x1F).contains(point) || Unicode.Scalar(point)?.properties.isWhitespace == true
    }

    /// `str.lstrip()`, and what that takes away.
    var withoutLeadingSpace: (space: PythonText, rest: PythonText) {
        let count = points.prefix(while: Self.isSpace).count
        return (PythonText(points.prefix(count)), PythonText(points.dropFirst(count)))
    }
}
