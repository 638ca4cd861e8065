extension Message: CustomStringConvertible {
    public var description: String { summary }

    /// The task as a log line names it, without its arguments: huey's `Task.__repr__`.
    package var summary: String {
        var text = "\(name): \(id)"
        if let eta { text += " @\(eta)" }
        if let expires, expires.isTrue {
            if let resolved = expiresResolved {
                text += " exp=\(expires.summary) (\(resolved))"
            } else {
                text += " exp=\(expires.summary)"
            }
        }
        if let priority, priority.isTrue { text += " p=\(priority)" }
        if let retries, retries != 0 { text += " \(retries) retries" }
        if let timeout, timeout.isTrue { text += " timeout=\(timeout)" }
        if let onComplete { text += " -> \(onComplete.message.summary)" }
        if let onError { text += ", on error \(onError.message.summary)" }
        if let chord { text += ", chord \(chord.id)" }
        return text
    }
}

extension Expiry {
    fileprivate var summary: String {
        switch self {
        case .seconds(let number): "\(number)"
        case .timedelta(let delta): "\(delta)"
        case .datetime(let moment): "\(moment)"
        case .other(let view): view.briefType
        }
    }
}
