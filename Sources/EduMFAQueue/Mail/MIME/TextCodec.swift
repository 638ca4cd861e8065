#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Python's codecs by name, as far as mail needs them: ASCII, UTF-8 and Latin-1, and on Linux whatever the C library's `iconv` has.
enum TextCodec {
    /// `str.encode(codec)`; `nil` where Python raises, or the codec is not known.
    static func encode(_ text: PythonText, _ codec: String) -> [UInt8]? {
        switch codec.lowercased() {
        case "us-ascii", "ascii": return text.isASCII ? text.points.map { UInt8($0) } : nil
        case "utf-8", "utf8", "utf_8", "u8", "utf", "cp65001": return text.utf8
        case "iso-8859-1", "latin-1", "latin1":
            return text.points.allSatisfy { $0 < 0x100 } ? text.points.map { UInt8($0) } : nil
        case MailCharset.unknown8Bit: return text.escapedBytes
        default: return text.utf8.flatMap { convert($0, from: "UTF-8", to: systemName(codec)) }
        }
    }

    /// `bytes.decode(codec, 'replace')`; `nil` when the codec is not known (and, of the less common ones, for bad bytes).
    static func decode(_ bytes: [UInt8], _ codec: String) -> PythonText? {
        switch codec.lowercased() {
        case "us-ascii", "ascii": return PythonText(bytes.map { $0 < 0x80 ? UInt32($0) : 0xFFFD })
        case "utf-8", "utf8", "utf_8", "u8", "utf", "cp65001": return PythonText(String(decoding: bytes, as: UTF8.self))
        case "iso-8859-1", "latin-1", "latin1": return PythonText(bytes.map { UInt32($0) })
        default:
            return convert(bytes, from: systemName(codec), to: "UTF-8")
                .map { PythonText(String(decoding: $0, as: UTF8.self)) }
        }
    }

    /// What the C library calls a codec that Python has under a name of its own.
    private static func systemName(_ codec: String) -> String {
        switch codec.lowercased().replacing("-", with: "_") {
        case "eucgb2312_cn", "chinese", "gb2312_80": "GB2312"
        case "big5_tw", "csbig5": "BIG5"
        case "ks_c_5601_1987", "ks_c_5601", "ksc5601", "ks_x_1001", "ksx1001", "korean": "EUC-KR"
        case "ms949", "uhc": "CP949"
        case "ms_kanji", "mskanji", "932": "CP932"
        case "s_jis", "shiftjis": "SHIFT-JIS"
        case "u_jis": "EUC-JP"
        case "iso2022_jp": "ISO-2022-JP"
        case "mac_roman", "macroman": "MACINTOSH"
        case "936": "GBK"
        case "950", "ms950": "CP950"
        case "thai": "ISO-8859-11"
        case "1250", "1251", "1252", "1253", "1254", "1255", "1256", "1257", "1258": "CP" + codec
        default: codec.replacing("_", with: "-")
        }
    }

    #if canImport(Glibc) || canImport(Musl)
        /// What `iconv` returns for an error: `(size_t) -1`.
        private static let failed = Int(-1)

        private static func convert(_ bytes: [UInt8], from source: String, to target: String) -> [UInt8]? {
            // Suffixes such as //TRANSLIT would invent characters.
            guard !(source + target).contains("/"), let conversion = iconv_open(target, source),
                Int(bitPattern: conversion) != -1
            else { return nil }
            defer { iconv_close(conversion) }
            var input = bytes.map { CChar(bitPattern: $0) }
            var output = [CChar](repeating: 0, count: bytes.count * 8 + 64)
            let count = input.withUnsafeMutableBufferPointer { input in
                output.withUnsafeMutableBufferPointer { output in
                    var from = input.baseAddress
                    var to = output.baseAddress
                    var fromLeft = input.count
                    var toLeft = output.count
                    // The second call writes what ends a state, such as ISO-2022-JP's return to ASCII.
                    guard fromLeft == 0 || iconv(conversion, &from, &fromLeft, &to, &toLeft) != failed,
                        fromLeft == 0, iconv(conversion, nil, nil, &to, &toLeft) != failed
                    else { return -1 }
                    return output.count - toLeft
                }
            }
            return count < 0 ? nil : output[..<count].map { UInt8(bitPattern: $0) }
        }
    #else
        private static func convert(_ bytes: [UInt8], from source: String, to target: String) -> [UInt8]? { nil }
    #endif
}
