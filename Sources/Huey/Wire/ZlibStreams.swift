import CZlib
import Synchronization

/// zlib's state for one stream each way, kept for the next: a quarter of a megabyte, which to get from the system and to give back for each
/// small message takes longer than to compress it.
// Sendable: whoever has taken it has it alone.
final class ZlibStream: @unchecked Sendable {
    private let deflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let inflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    /// - Parameter windowBits: zlib's code for the container; 16 more means gzip.
    /// - Returns: nil when there is no memory.
    fileprivate init?(windowBits: Int32) {
        deflater.initialize(to: z_stream())
        inflater.initialize(to: z_stream())
        guard huey_deflate_init(deflater, Compression.level, windowBits) == Z_OK,
            huey_inflate_init(inflater, windowBits) == Z_OK
        else { return nil }
    }

    deinit {
        deflateEnd(deflater)
        inflateEnd(inflater)
        deflater.deallocate()
        inflater.deallocate()
    }

    /// At the beginning of something to compress; nil where zlib objects.
    func deflating() -> UnsafeMutablePointer<z_stream>? { deflateReset(deflater) == Z_OK ? deflater : nil }

    /// At the beginning of something compressed; nil where zlib objects.
    func inflating() -> UnsafeMutablePointer<z_stream>? { inflateReset(inflater) == Z_OK ? inflater : nil }
}

/// The streams of one container that nobody uses now: a few, whatever comes.
final class ZlibStreams: Sendable {
    static let gzip = ZlibStreams(windowBits: 31)
    static let zlib = ZlibStreams(windowBits: 15)
    private static let most = 8

    private let windowBits: Int32
    private let free = Mutex<[ZlibStream]>([])

    private init(windowBits: Int32) { self.windowBits = windowBits }

    /// A stream to begin with; nil when there is no memory.
    func take() -> ZlibStream? { free.withLock { $0.popLast() } ?? ZlibStream(windowBits: windowBits) }

    func giveBack(_ stream: ZlibStream) {
        free.withLock { free in
            if free.count < Self.most { free.append(stream) }
        }
    }
}
