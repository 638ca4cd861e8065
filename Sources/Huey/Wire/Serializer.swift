public import Pickle

/// Turns messages and results into bytes and back. Mirrors `huey.serializer.Serializer`.
public protocol Serializer: Sendable {
    /// - Throws: whatever encoding the value throws.
    func serialize(_ value: some PickleEncodable) throws -> [UInt8]
    /// - Throws: ``PickleError`` or an error of the serializer's own when the bytes are not what it writes.
    func deserialize(_ bytes: [UInt8]) throws -> PickleView
}

/// Plain pickles: huey's default.
public struct PickleSerializer: Serializer {
    /// The protocol that is written, 0 to 5. Every protocol is read.
    public var pickleProtocol: Int
    /// What the decoder accepts.
    public var limits: PickleLimits

    public init(pickleProtocol: Int = 5, limits: PickleLimits = .default) {
        self.pickleProtocol = pickleProtocol
        self.limits = limits
    }

    public func serialize(_ value: some PickleEncodable) throws -> [UInt8] {
        var writer = PickleWriter(protocol: pickleProtocol)
        try value.encode(to: &writer)
        return try writer.finish()
    }

    public func deserialize(_ bytes: [UInt8]) throws -> PickleView {
        try PickleDocument(bytes, limits: limits).root
    }
}
