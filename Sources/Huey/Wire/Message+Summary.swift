import Pickle

extension Message: CustomStringConvertible {
    public var description: String { summary }

    /// The most bytes of a summary, about.
    private static let summaryLimit = 2000

    /// The task as a log line names it, without its arguments: huey's `Task.__repr__`. Cut off where that is longer than a line
    /// should be: a message may hold a thousand others.
    package var summary: String {
        var text = ""
        summarize(into: &text)
        return text.bounded(Self.summaryLimit)
    }

    private func summarize(into text: inout String) {
        guard text.utf8.count < Self.summaryLimit else { return }
        text += "\(name.bounded(500)): \(id.bounded(500))"
        if let eta { text += " @\(eta)" }
        if let expires, expires.isTrue {
            if let resolved = expiresResolved {
                text += " exp=\(expires.summary) (\(resolved))"
            } else {
                text += " exp=\(expires.summary)"
            }
        }
        if let priority, priority.isTrue { text += " p=\(priority.summary)" }
        if let retries, retries != 0 { text += " \(retries) retries" }
        if let timeout, timeout.isTrue { text += " timeout=\(timeout.summary)" }
        if let onComplete {
            text += " -> "
            onComplete.message.summarize(into: &text)
        }
        if let onError {
            text += ", on error "
            onError.message.summarize(into: &text)
        }
        if let chord { text += ", chord \(chord.id.bounded(500))" }
    }
}

extension PythonNumber {
    fileprivate var summary: String { description.bounded(100) }
}

extension Expiry {
    fileprivate var summary: String {
        switch self {
        case .seconds(let number): number.summary
        case .timedelta(let delta): "\(delta)"
        case .datetime(let moment): "\(moment)"
        case .other(let view): view.briefType
        }
    }
}
