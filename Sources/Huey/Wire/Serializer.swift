public import Pickle

/// Turns messages and results into bytes and back. Mirrors `huey.serializer.Serializer`.
///
/// A serializer of one's own gets every value as something that can be pickled, and gives back a pickled value's view: read what a value
/// writes with ``PickleEncodable/pickled(protocol:)``, or make a document of what you have decoded.
public protocol Serializer: Sendable {
    /// - Throws: whatever encoding the value throws.
    func serialize(_ value: some PickleEncodable) throws -> [UInt8]
    /// - Throws: ``PickleError`` or an error of the serializer's own when the bytes are not what it writes.
    func deserialize(_ bytes: [UInt8]) throws -> PickleView
}

/// Pickles, as huey writes them: plain, signed, compressed, or both, the signature inside.
public struct PickleSerializer: Serializer {
    /// The protocol that is written, 0 to 5. Every protocol is read.
    public var pickleProtocol: Int
    /// Compressed how; not at all when nil.
    public var compression: Compression?
    /// Signed by whom; not at all when nil.
    public var signer: MessageSigner?
    /// What the decoder accepts.
    public var limits: PickleLimits

    public init(
        pickleProtocol: Int = 5,
        compression: Compression? = nil,
        signer: MessageSigner? = nil,
        limits: PickleLimits = .default
    ) {
        self.pickleProtocol = pickleProtocol
        self.compression = compression
        self.signer = signer
        self.limits = limits
    }

    public func serialize(_ value: some PickleEncodable) throws -> [UInt8] {
        try serialize(value, followedBy: [])
    }

    /// - Parameter trailer: bytes behind the pickle, which Python never reads; signed and compressed with it.
    func serialize(_ value: some PickleEncodable, followedBy trailer: [UInt8]) throws -> [UInt8] {
        var writer = PickleWriter(protocol: pickleProtocol)
        try value.encode(to: &writer)
        return try seal(try writer.finish(), followedBy: trailer)
    }

    /// Signs and compresses a pickle.
    func seal(_ pickle: consuming [UInt8], followedBy trailer: [UInt8]) throws -> [UInt8] {
        var data = pickle
        if !trailer.isEmpty { data += trailer }
        if let signer { data = signer.sign(data) }
        if let compression { data = try compression.compress(data) }
        return data
    }

    /// - Throws: ``PickleError``, or ``HueyError`` `.badSignature` or `.malformedMessage`.
    public func deserialize(_ bytes: [UInt8]) throws -> PickleView {
        try PickleDocument(try opened(bytes), limits: limits).root
    }

    /// The same for one of many that come together.
    func deserialize(_ bytes: [UInt8], in memory: PickleMemory) throws -> PickleView {
        try PickleDocument(try opened(bytes), limits: limits, in: memory).root
    }

    /// The pickle, its signature looked at and what was compressed as it was.
    private func opened(_ bytes: [UInt8]) throws -> [UInt8] {
        var data = bytes
        // huey reads what is not compressed as it stands.
        if let compression, Compression.isCompressed(data) {
            data = try compression.decompress(data, limit: limits.bytes)
        }
        if let signer { data = try signer.unsign(data) }
        return data
    }
}
