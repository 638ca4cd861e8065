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

    /// - Throws: ``PickleError``, or ``HueyError`` `.badSignature`, `.malformedMessage` or `.tooLarge`.
    public func deserialize(_ bytes: [UInt8]) throws -> PickleView { try deserialize(bytes, limits) }

    /// The same within other limits.
    func deserialize(_ bytes: [UInt8], _ limits: PickleLimits) throws -> PickleView {
        try PickleDocument(opened(bytes, limit: limits.bytes), limits: limits).root
    }

    /// Whether what is stored is the pickle itself.
    var isPlain: Bool { compression == nil && signer == nil }

    /// Whether the bytes are, or decompress to, more than so many. Decompresses no more than that.
    func isLarger(_ bytes: [UInt8], than limit: Int) -> Bool {
        guard bytes.count <= limit else { return true }
        guard let compression, Compression.isCompressed(bytes) else { return false }
        do {
            _ = try compression.decompress(bytes, limit: limit)
            return false
        } catch {
            return (error as? HueyError)?.code == .tooLarge
        }
    }

    /// The pickle, its signature checked and what was compressed as it was.
    ///
    /// - Parameter limit: the most bytes, after decompression. A signature may come on top of them.
    private func opened(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
        var data = bytes
        let limit = signer == nil ? limit : limit.saturatingAdded(to: MessageSigner.length)
        // huey reads what is not compressed as it stands.
        if let compression, Compression.isCompressed(data) {
            data = try compression.decompress(data, limit: limit)
        }
        if let signer {
            guard data.count <= limit else { throw HueyError.tooLarge("a signed message", data.count, limit) }
            data = try signer.unsign(data)
        }
        return data
    }
}
