import Huey

extension String {
    /// The beginning of it, on one line: an address in a message to an operator.
    var shortened: String { SafeText.escaped(self, limit: 200) }
}

extension RefusedRecipient {
    /// The recipient as a line of a log may show it.
    var name: String { recipient.shortened }
}
