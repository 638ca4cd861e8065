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

/// Python's `decimal.Decimal`.
extension Decimal: PickleCodable {
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "decimal", "Decimal"), object.arguments.count == 1,
            let text = object.arguments[0].string, let value = Decimal(string: text)
        else { throw PickleError.mismatch(expected: "decimal.Decimal", found: pickle) }
        self = value
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "decimal", name: "Decimal", argumentCount: 1) { $0.write(self.description) }
    }
}
