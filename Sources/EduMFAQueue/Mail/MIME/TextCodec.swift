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
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count)
            var input = bytes.map { CChar(bitPattern: $0) }
            let isConverted = input.withUnsafeMutableBufferPointer { input in
                var from = input.baseAddress
                var left = input.count
                while left > 0 {
                    guard step(conversion, &from, &left, &result) else { return false }
                }
                // What ends a state, such as ISO-2022-JP's return to ASCII.
                var none: UnsafeMutablePointer<CChar>?
                var nothing = 0
                return step(conversion, &none, &nothing, &result)
            }
            return isConverted ? result : nil
        }

        /// Converts as much as a small buffer takes. False for what cannot be converted.
        private static func step(
            _ conversion: iconv_t,
            _ from: inout UnsafeMutablePointer<CChar>?,
            _ left: inout Int,
            _ result: inout [UInt8]
        ) -> Bool {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { output in
                var to = output.baseAddress
                var space = output.count
                let isDone = iconv(conversion, &from, &left, &to, &space) != failed
                // E2BIG: the buffer is full, and there is more.
                guard isDone || errno == E2BIG else { return false }
                let written = output[..<(output.count - space)]
                result.append(contentsOf: written.lazy.map { UInt8(bitPattern: $0) })
                return isDone || !written.isEmpty
            }
        }
    #else
        private static func convert(_ bytes: [UInt8], from source: String, to target: String) -> [UInt8]? { nil }
    #endif
}
