import CZlib

/// How a serializer compresses. Mirrors huey's `compression` and `use_zlib`.
public enum Compression: Sendable, Hashable {
    /// Python's `gzip.compress`.
    case gzip
    /// Python's `zlib.compress`.
    case zlib

    /// What huey compresses with.
    static let level: Int32 = 6

    /// huey's test for compressed data: the first byte of a gzip or zlib stream.
    static func isCompressed(_ data: [UInt8]) -> Bool { data.first == 0x1F || data.first == 0x78 }

    private var streams: ZlibStreams { self == .gzip ? .gzip : .zlib }

    package func compress(_ data: [UInt8]) throws -> [UInt8] {
        guard let stream = streams.take(), let deflater = stream.deflating() else {
            throw Self.failure("cannot begin")
        }
        defer { streams.giveBack(stream) }
        var output = [UInt8](repeating: 0, count: Int(deflateBound(deflater, uLong(data.count))) + 32)
        let status = data.withUnsafeBufferPointer { input in
            Self.run(deflater, input, &output) { deflate($0, Z_FINISH) }
        }
        guard status == Z_STREAM_END else { throw Self.failure("zlib says \(status)") }
        output.removeLast(Int(deflater.pointee.avail_out))
        return output
    }

    /// Decompresses one stream; a gzip file may have several members, and zeros behind them, as in Python. Linear in what comes in and
    /// what goes out, however many members there are.
    ///
    /// - Parameter limit: the most bytes that may come out.
    /// - Throws: ``HueyError`` `.malformedMessage` for what is not of this form, `.tooLarge` for more bytes than the limit.
    func decompress(_ data: [UInt8], limit: Int) throws -> [UInt8] {
        guard let stream = streams.take(), var inflater = stream.inflating() else {
            throw Self.failure("cannot begin")
        }
        defer { streams.giveBack(stream) }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(4096, data.count.saturatingMultiplied(by: 4)), 1 << 18))
        var used = 0
        while true {
            let status = data.withUnsafeBufferPointer { input in
                Self.run(inflater, UnsafeBufferPointer(rebasing: input[used...]), &chunk) { inflate($0, Z_NO_FLUSH) }
            }
            used += min(data.count - used, Int(uInt.max)) - Int(inflater.pointee.avail_in)
            let produced = chunk.count - Int(inflater.pointee.avail_out)
            guard output.count + produced <= limit else {
                throw HueyError(.tooLarge, "a message of more than \(limit) bytes after decompression")
            }
            output += chunk[..<produced]
            if status == Z_STREAM_END {
                guard self == .gzip else { return output }
                while used < data.count, data[used] == 0 { used += 1 }
                if used == data.count { return output }
                guard let next = stream.inflating() else { throw Self.failure("cannot begin") }
                inflater = next
                continue
            }
            guard status == Z_OK, produced > 0 else {
                throw HueyError.malformedMessage("compressed data that is damaged or cut short")
            }
        }
    }

    private static func run(
        _ stream: UnsafeMutablePointer<z_stream>,
        _ input: UnsafeBufferPointer<UInt8>,
        _ output: inout [UInt8],
        _ step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> Int32 {
        output.withUnsafeMutableBufferPointer { output in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            // zlib counts in 32 bits; what is longer is taken in parts.
            stream.pointee.avail_in = uInt(clamping: input.count)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = uInt(clamping: output.count)
            defer {
                stream.pointee.next_in = nil
                stream.pointee.next_out = nil
            }
            return step(stream)
        }
    }

    private static func failure(_ text: String) -> HueyError {
        HueyError(.malformedMessage, "compression failed: \(text)")
    }
}
