extension PickleDateTime: CustomStringConvertible {
    /// Python's `str()`: `2026-01-31 12:00:00.000123+01:00`.
    public var description: String {
        var text = "\(PickleDate(year: year, month: month, day: day).text) \(clock(hour, minute, second, microsecond))"
        guard let offset = utcOffset else { return text }
        let seconds = Int(offset.components.seconds)
        let magnitude = Int(seconds.magnitude)
        text += (seconds < 0 ? "-" : "+") + padded(magnitude / 3600) + ":" + padded(magnitude / 60 % 60)
        if magnitude % 60 != 0 { text += ":" + padded(magnitude % 60) }
        return text
    }
}

extension PickleDate {
    /// Python's `str()`: `2026-01-31`.
    var text: String { "\(padded(year, 4))-\(padded(month))-\(padded(day))" }
}

extension PickleTime {
    /// Python's `str()` of a naive time: `12:00:00.000123`; `nil` for an aware one.
    var text: String? { tzinfo == nil ? clock(hour, minute, second, microsecond) : nil }
}

extension PickleTimeDelta {
    /// Python's `str()`: `-1 day, 23:59:59.000123`.
    var text: String {
        let micro = microseconds == 0 ? "" : "." + padded(microseconds, 6)
        let rest = "\(seconds / 3600):\(padded(seconds / 60 % 60)):\(padded(seconds % 60))\(micro)"
        return days == 0 ? rest : "\(days) day\(days.magnitude == 1 ? "" : "s"), \(rest)"
    }
}

private func clock(_ hour: Int, _ minute: Int, _ second: Int, _ microsecond: Int) -> String {
    let micro = microsecond == 0 ? "" : "." + padded(microsecond, 6)
    return "\(padded(hour)):\(padded(minute)):\(padded(second))\(micro)"
}

private func padded(_ value: Int, _ width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
