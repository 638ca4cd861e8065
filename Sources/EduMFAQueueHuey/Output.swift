import Huey

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Prints text for people, one line for each call, with everything escaped that is not safe to show.
///
/// It takes the place of Swift's `print` in this module, so that no command can print a recipient, a subject, an error or a server's
/// reply as it came.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
    Swift.print(SafeText.escaped(items.map { "\($0)" }.joined(separator: separator)), terminator: terminator)
}

/// Prints a JSON document for programs. Whatever is not plain ASCII in it stands in strings, where JSON has an escape for it.
func printJSON(_ text: String) {
    let units = text.utf16.map { unit in
        guard unit >= 0x7F else { return String(UnicodeScalar(UInt8(unit))) }
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    Swift.print(units.joined())
}

/// Standard output, which may be a pipe that somebody reads line by line.
enum LogFlush {
    static func standardOutput() { fflush(nil) }
}
