/// `datetime.date`.
public struct PickleDate: Sendable, Hashable, PickleCodable {
    public var year: Int
    public var month: Int
    public var day: Int

    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads the state of four bytes, and the three ints of Python's constructor.
    ///
    /// - Throws: ``PickleError`` `.typeMismatch`, also for a day that no calendar has.
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "datetime", "date"),
            let (year, month, day) = Self.fields(object.arguments)
        else { throw PickleError.mismatch(expected: "datetime.date", found: pickle) }
        self.init(year: year, month: month, day: day)
        guard isValid else { throw PickleError.mismatch(expected: "datetime.date", found: pickle) }
    }

    private static func fields(_ arguments: PickleView.Elements) -> (year: Int, month: Int, day: Int)? {
        if arguments.count == 1, let state = arguments[0].state(of: 4) {
            return (Int(state[0]) << 8 | Int(state[1]), Int(state[2]), Int(state[3]))
        }
        guard arguments.count == 3, let year = arguments[0].pythonInt, let month = arguments[1].pythonInt,
            let day = arguments[2].pythonInt
        else { return nil }
        return (year, month, day)
    }

    /// Whether the calendar has this day, in the years that Python knows.
    var isValid: Bool {
        guard (1...9999).contains(year), (1...12).contains(month) else { return false }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = month == 2 ? (isLeapYear ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        return (1...length).contains(day)
    }

    /// - Throws: ``PickleError`` `.notEncodable` for a day that no calendar has.
    public func encode(to writer: inout PickleWriter) throws {
        guard isValid else { throw PickleError(.notEncodable, "no datetime.date: \(self)") }
        writer.writeReduce(module: "datetime", name: "date", argumentCount: 1) { writer in
            writer.write(bytes: [UInt8(year >> 8), UInt8(year & 0xFF), UInt8(month), UInt8(day)])
        }
    }
}

/// `datetime.time`, naive or aware.
public struct PickleTime: Sendable, Hashable, PickleCodable {
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var microsecond: Int
    /// 1 for the second of two equal wall times.
    public var fold: Int
    /// The time zone object, carried as it is.
    public var tzinfo: PickleValue?

    public init(
        hour: Int,
        minute: Int = 0,
        second: Int = 0,
        microsecond: Int = 0,
        fold: Int = 0,
        tzinfo: PickleValue? = nil
    ) {
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
        self.fold = fold
        self.tzinfo = tzinfo
    }

    private var isValid: Bool { Self.isValid(hour, minute, second, microsecond, fold) }

    /// Whether the fields are those of a time of day.
    static func isValid(_ hour: Int, _ minute: Int, _ second: Int, _ microsecond: Int, _ fold: Int) -> Bool {
        (0...23).contains(hour) && (0...59).contains(minute) && (0...59).contains(second)
            && (0...999_999).contains(microsecond) && (0...1).contains(fold)
    }

    /// Reads the state of six bytes, and the ints of Python's constructor.
    ///
    /// - Throws: ``PickleError`` `.typeMismatch`, also for what is no time of day.
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "datetime", "time"), object.arguments.count <= 5 else {
            throw PickleError.mismatch(expected: "datetime.time", found: pickle)
        }
        let arguments = object.arguments
        var zone: PickleView?
        if (1...2).contains(arguments.count), let state = arguments[0].state(of: 6) {
            self.init(
                hour: Int(state[0] & 0x7F),
                minute: Int(state[1]),
                second: Int(state[2]),
                microsecond: Int(state[3]) << 16 | Int(state[4]) << 8 | Int(state[5]),
                fold: Int(state[0] >> 7)
            )
            zone = arguments.count == 2 ? arguments[1] : nil
        } else {
            let parts = arguments.prefix(4).compactMap(\.pythonInt)
            guard parts.count == min(arguments.count, 4) else {
                throw PickleError.mismatch(expected: "datetime.time", found: pickle)
            }
            let fields = parts + Array(repeating: 0, count: 4 - parts.count)
            self.init(hour: fields[0], minute: fields[1], second: fields[2], microsecond: fields[3])
            zone = arguments.count == 5 ? arguments[4] : nil
        }
        if let zone, !zone.isNone { tzinfo = .view(zone) }
        guard isValid, zone?.mayBeTimeZone != false else {
            throw PickleError.mismatch(expected: "datetime.time", found: pickle)
        }
    }

    /// - Throws: ``PickleError`` `.notEncodable` for what is no time of day.
    public func encode(to writer: inout PickleWriter) throws {
        guard isValid else { throw PickleError(.notEncodable, "no datetime.time: \(self)") }
        let foldBit: UInt8 = fold != 0 && writer.pickleProtocol > 3 ? 0x80 : 0
        let state: [UInt8] = [
            UInt8(hour) | foldBit, UInt8(minute), UInt8(second), UInt8(microsecond >> 16),
            UInt8(microsecond >> 8 & 0xFF), UInt8(microsecond & 0xFF),
        ]
        try writer.writeReduce(module: "datetime", name: "time", argumentCount: tzinfo == nil ? 1 : 2) { writer in
            writer.write(bytes: state)
            if let tzinfo { try tzinfo.encode(to: &writer) }
        }
    }
}

extension PickleView {
    /// Bytes, or a str of characters up to U+00FF, which `encoding='latin1'` makes of Python 2's.
    var latin1Bytes: [UInt8]? { bytes ?? withUTF8 { latin1($0) } ?? nil }

    /// The same, if there are just so many of them: what `datetime` keeps of a moment.
    func state(of count: Int) -> [UInt8]? {
        guard kind == .string || kind == .bytes, let bytes = latin1Bytes, bytes.count == count else { return nil }
        return bytes
    }

    /// Whether Python's `datetime` would take this as `tzinfo`, as far as that can be told: None, or an instance. One of
    /// `datetime.timezone` must have an offset that Python knows.
    var mayBeTimeZone: Bool {
        switch kind {
        case .none, .global, .persistentID, .extensionCode: true
        case .object:
            object?.isInstance(of: "datetime", "timezone") != true || (try? PickleTimeZone(pickle: self)) != nil
        default: false
        }
    }
}
