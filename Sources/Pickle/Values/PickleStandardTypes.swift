internal import BigInt

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Python's `uuid.UUID`.
extension UUID: PickleCodable {
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "uuid", "UUID"),
            let number = object.state?["int"]?.bigInt, number.signum() >= 0, number.bitWidth <= 129
        else { throw PickleError.mismatch(expected: "uuid.UUID", found: pickle) }
        var bytes = Array(littleEndianBytes(number).prefix(16))
        bytes += Array(repeating: 0, count: 16 - bytes.count)
        bytes.reverse()
        self.init(
            uuid: (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9],
                bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            )
        )
    }

    public func encode(to writer: inout PickleWriter) {
        let number = withUnsafeBytes(of: uuid) { BigInt(sign: .plus, magnitude: BigUInt($0)) }
        writer.writeInstance(module: "uuid", name: "UUID") { writer in
            writer.writeDict(count: 1) { writer in
                writer.write("int" as StaticString)
                writer.write(number)
            }
        }
    }
}

/// Python's `decimal.Decimal`, as long as it has no more than the 38 digits that Foundation's holds.
extension Decimal: PickleCodable {
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "decimal", "Decimal"), object.arguments.count == 1,
            let text = object.arguments[0].string, Self.fits(text), let value = Decimal(string: text)
        else { throw PickleError.mismatch(expected: "decimal.Decimal", found: pickle) }
        self = value
    }

    /// Foundation parses a prefix and rounds; both would go unnoticed.
    private static func fits(_ text: String) -> Bool {
        if text == "NaN" { return true }
        let mantissa = text.prefix { $0 != "E" && $0 != "e" }
        let exponent = Int(text.dropFirst(mantissa.count + 1)) ?? (mantissa.count == text.count ? 0 : 1000)
        let digits = mantissa.filter { $0.isASCII && $0.isNumber }
        let others = mantissa.count - digits.count
        return (1...38).contains(digits.count) && others <= 2 && exponent.magnitude <= 80
            && mantissa.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "decimal", name: "Decimal", argumentCount: 1) { $0.write(self.description) }
    }
}
