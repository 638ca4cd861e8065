/// Base64 as CPython's `binascii` has it.
package enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// One line, without line break: `base64.b64encode`.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] { encode(bytes, lineLength: .max) }

    /// Lines of 76 characters that each end with LF: `email.base64mime.body_encode`.
    package static func encodeLines(_ bytes: [UInt8]) -> [UInt8] { encode(bytes, lineLength: 57) }

    /// - Parameter lineLength: how many bytes make a line; a multiple of three.
    private static func encode(_ bytes: [UInt8], lineLength: Int) -> [UInt8] {
        let lines = lineLength == .max ? 0 : (bytes.count + lineLength - 1) / lineLength
        let size = (bytes.count + 2) / 3 * 4 + lines
        return [UInt8](unsafeUninitializedCapacity: size) { output, count in
            bytes.withUnsafeBufferPointer { input in
                digits.withUnsafeBufferPointer { digits in
                    var start = 0
                    while start < input.count {
                        let end = lineLength == .max ? input.count : min(start + lineLength, input.count)
                        encode(UnsafeBufferPointer(rebasing: input[start..<end]), digits, into: output, &count)
                        if lineLength != .max {
                            output[count] = 0x0A
                            count += 1
                        }
                        start = end
                    }
                }
            }
        }
    }

    private static func encode(
        _ input: UnsafeBufferPointer<UInt8>,
        _ digits: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int
    ) {
        var index = 0
        while index < input.count {
            let left = input.count - index
            let second = left > 1 ? UInt32(input[index + 1]) : 0
            let third = left > 2 ? UInt32(input[index + 2]) : 0
            let group = UInt32(input[index]) << 16 | second << 8 | third
            output[count] = digits[Int(group >> 18)]
            output[count + 1] = digits[Int(group >> 12 & 63)]
            output[count + 2] = left > 1 ? digits[Int(group >> 6 & 63)] : UInt8(ascii: "=")
            output[count + 3] = left > 2 ? digits[Int(group & 63)] : UInt8(ascii: "=")
            count += 4
            index += 3
        }
    }

    /// What `base64.decodebytes` makes of a challenge: characters that do not belong are skipped. What is cut short is
    /// left out.
    package static func decode(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        var group: UInt32 = 0
        var bits = 0
        for byte in text.utf8 {
            guard byte != UInt8(ascii: "=") else { break }
            guard let digit = value(of: byte) else { continue }
            group = group << 6 | digit
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            }
        }
        return result
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case 65...90: UInt32(byte - 65)
        case 97...122: UInt32(byte - 71)
        case 48...57: UInt32(byte + 4)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
