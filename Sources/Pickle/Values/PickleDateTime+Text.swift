extension PickleDateTime: CustomStringConvertible {
    /// Python's `str()`: `2026-01-31 12:00:00.000123+01:00`.
    public var description: String {
        func padded(_ value: Int, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        var text =
            "\(padded(year, 4))-\(padded(month))-\(padded(day)) \(padded(hour)):\(padded(minute)):\(padded(second))"
        if microsecond != 0 { text += "." + padded(microsecond, 6) }
        guard let offset = utcOffset else { return text }
        let seconds = Int(offset.components.seconds)
        let magnitude = Int(seconds.magnitude)
        text += (seconds < 0 ? "-" : "+") + padded(magnitude / 3600) + ":" + padded(magnitude / 60 % 60)
        if magnitude % 60 != 0 { text += ":" + padded(magnitude % 60) }
        return text
    }
}
