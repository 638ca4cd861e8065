package import Pickle

/// Reads what others have put into the storage for this instance's consumers, within the limits that a message has: those of
/// ``HueyOptions`` where they are lower than the serializer's.
package struct MessageCodec: Sendable {
    /// A message of at most so many bytes, after decompression, is small: it may be decoded ahead of its turn, with many others.
    private static let small = 1 << 17

    private let serializer: any Serializer
    /// The serializer, where it is huey's own.
    let pickles: PickleSerializer?
    /// What a message may cost.
    let limits: PickleLimits
    /// What a small message may cost.
    let smallLimits: PickleLimits
    private let maximumSize: Int

    init(_ serializer: any Serializer, _ options: HueyOptions) {
        self.serializer = serializer
        pickles = serializer as? PickleSerializer
        maximumSize = options.maximumMessageSize
        var limits = pickles?.limits ?? .default
        limits.bytes = min(limits.bytes, options.maximumMessageSize)
        limits.memory = min(limits.memory, options.maximumMessageMemory)
        self.limits = limits
        limits.bytes = min(limits.bytes, Self.small)
        smallLimits = limits
    }

    /// - Throws: ``HueyError`` `.malformedMessage`, `.badSignature` or `.tooLarge`, ``PickleError``, or an error of the serializer's own.
    package func view(_ data: [UInt8]) throws -> PickleView {
        guard data.count <= maximumSize.saturatingAdded(to: MessageSigner.length) else {
            throw HueyError.tooLarge("the message", data.count, maximumSize)
        }
        return try pickles?.deserialize(data, limits) ?? serializer.deserialize(data)
    }

    /// Reads a small message.
    ///
    /// - Throws: as ``view(_:)``; for a larger message, too.
    func smallView(_ data: [UInt8]) throws -> PickleView {
        guard data.count <= Self.small else { throw HueyError.tooLarge("a small message", data.count, Self.small) }
        return try pickles?.deserialize(data, smallLimits) ?? serializer.deserialize(data)
    }

    /// Whether a message is a pickle as it stands in the queue.
    var areMessagesPickles: Bool { pickles?.isPlain ?? false }

    /// The most bytes of memory that decoding a message takes; nil for a small one.
    func cost(of data: [UInt8]) -> Int? {
        guard let pickles else { return data.count > Self.small ? data.count.saturatingMultiplied(by: 2) : nil }
        guard pickles.isLarger(data, than: Self.small) else { return nil }
        // What is compressed may become as large as anything.
        let size = Compression.isCompressed(data) ? limits.bytes : data.count
        let tables = min(limits.memory, size.saturatingMultiplied(by: 32))
        return size.saturatingMultiplied(by: 2).saturatingAdded(to: tables)
    }
}
