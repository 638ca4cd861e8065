extension String {
    /// On one line, without what a terminal would obey.
    package var printable: String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: result.append("?")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

extension String {
    /// The beginning of it, on one line: an address in a message to an operator.
    var shortened: String { String(String(unicodeScalars.prefix(200)).printable.prefix(100)) }
}

extension RefusedRecipient {
    /// The recipient as a line of a log may show it.
    var name: String { recipient.shortened }
}
