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
        let status = Self.run(deflater, data, &output) { deflate($0, Z_FINISH) }
        guard status == Z_STREAM_END else { throw Self.failure("zlib says \(status)") }
        output.removeLast(Int(deflater.pointee.avail_out))
        return output
    }

    /// Takes one stream apart; a gzip file may have several members, and zeros behind them, as in Python.
    ///
    /// - Parameter limit: the most bytes that may come out.
    /// - Throws: ``HueyError`` `.malformedMessage` for what is not of this form, or too large.
    func decompress(_ data: [UInt8], limit: Int) throws -> [UInt8] {
        var output: [UInt8] = []
        var rest = data[...]
        repeat {
            let used = try decompressMember(Array(rest), into: &output, limit: limit)
            rest = rest.dropFirst(used)
            if self == .gzip { rest = rest.drop { $0 == 0 } }
        } while self == .gzip && !rest.isEmpty
        return output
    }

    private func decompressMember(_ data: [UInt8], into output: inout [UInt8], limit: Int) throws -> Int {
        guard let stream = streams.take(), let inflater = stream.inflating() else {
            throw Self.failure("cannot begin")
        }
        defer { streams.giveBack(stream) }
        var chunk = [UInt8](repeating: 0, count: min(max(4096, data.count * 4), 1 << 20))
        var used = 0
        while true {
            let status = Self.run(inflater, Array(data[used...]), &chunk) { inflate($0, Z_NO_FLUSH) }
            used = data.count - Int(inflater.pointee.avail_in)
            let produced = chunk.count - Int(inflater.pointee.avail_out)
            output += chunk[..<produced]
            guard output.count <= limit else {
                throw HueyError.malformedMessage("compressed data of more than \(limit) bytes")
            }
            if status == Z_STREAM_END { return used }
            guard status == Z_OK, produced > 0 else {
                throw HueyError.malformedMessage("compressed data that is damaged or cut short")
            }
        }
    }

    private static func run(
        _ stream: UnsafeMutablePointer<z_stream>,
        _ input: [UInt8],
        _ output: inout [UInt8],
        _ step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> Int32 {
        input.withUnsafeBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = uInt(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(output.count)
                defer {
                    stream.pointee.next_in = nil
                    stream.pointee.next_out = nil
                }
                return step(stream)
            }
        }
    }

    private static func failure(_ text: String) -> HueyError {
        HueyError(.malformedMessage, "compression failed: \(text)")
    }
}
