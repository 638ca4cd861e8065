internal import NIOCore

/// What becomes of a message's lines on their way.
package enum LineEndings {
    /// CR, LF and CRLF all become CRLF: `smtplib._fix_eols`.
    package static func normalised(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { input in
            var bare = 0
            for index in input.indices where isBare(input, index) { bare += 1 }
            if bare == 0 { return bytes }
            return [UInt8](unsafeUninitializedCapacity: input.count + bare) { output, count in
                for index in input.indices {
                    if isBare(input, index) {
                        output[count] = 0x0D
                        output[count + 1] = 0x0A
                        count += 2
                    } else {
                        output[count] = input[index]
                        count += 1
                    }
                }
            }
        }
    }

    /// Whether a byte is half a line ending.
    @inline(__always)
    private static func isBare(_ input: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        switch input[index] {
        case 0x0A: index == 0 || input[index - 1] != 0x0D
        case 0x0D: index + 1 == input.count || input[index + 1] != 0x0A
        default: false
        }
    }
}

/// A message as DATA has it, piece by piece: a dot is put before each dot that begins a line, and a line with one dot ends it.
/// Mirrors `smtplib.SMTP.data`.
struct ContentPieces {
    private let content: [UInt8]
    private let pieceSize: Int
    private var index = 0
    private var isFinished = false

    init(_ content: [UInt8], pieceSize: Int = 32 * 1024) {
        self.content = content
        self.pieceSize = pieceSize
    }

    /// The next piece, and whether it is the one with the final dot.
    mutating func next(_ allocator: ByteBufferAllocator) -> (piece: ByteBuffer, isLast: Bool)? {
        guard !isFinished else { return nil }
        let end = min(index + pieceSize, content.count)
        var piece = allocator.buffer(capacity: end - index + 64)
        content.withUnsafeBytes { bytes in
            var start = index
            for place in index..<end where bytes[place] == 0x2E && (place == 0 || bytes[place - 1] == 0x0A) {
                piece.writeBytes(bytes[start...place])
                start = place
            }
            piece.writeBytes(bytes[start..<end])
        }
        index = end
        if end == content.count {
            isFinished = true
            // Content that is empty gets a line ending, too, as in Python.
            if content.suffix(2) != [0x0D, 0x0A] { piece.writeStaticString("\r\n") }
            piece.writeStaticString(".\r\n")
        }
        return (piece, isFinished)
    }
}
