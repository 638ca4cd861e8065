import Huey

/// Prints text for people, one line for each call, with everything escaped that is not safe to show.
///
/// It takes the place of Swift's `print` in this module, so that no command can print a name, an id, an error or a reply as it came.
/// Data for programs goes through `StandardStreams.write` instead.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
    Swift.print(SafeText.escaped(items.map { "\($0)" }.joined(separator: separator)), terminator: terminator)
}

/// Prints one entry of a list: as `print`, but of bounded length.
func printEntry(_ text: String) { print(SafeText.escaped(text, limit: SafeText.lineLimit)) }

/// Prints text that we made of several lines: its line ends stay, and each line is escaped.
func printLines(_ text: String) { Swift.print(SafeText.escapedLines(text)) }

extension String {
    /// A field of an entry: escaped, and cut so that the fields behind it are still shown.
    func field(_ limit: Int = 1024) -> String { SafeText.escaped(self, limit: limit) }
}
