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

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "datetime", "date"), object.arguments.count == 1,
            let state = object.arguments[0].latin1Bytes, state.count == 4, (1...12).contains(state[2]),
            (1...31).contains(state[3])
        else { throw PickleError.mismatch(expected: "datetime.date", found: pickle) }
        self.init(year: Int(state[0]) << 8 | Int(state[1]), month: Int(state[2]), day: Int(state[3]))
    }

    public func encode(to writer: inout PickleWriter) throws {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
            throw PickleError(.notEncodable, "no datetime.date: \(self)")
        }
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

    private var isValid: Bool {
        (0...23).contains(hour) && (0...59).contains(minute) && (0...59).contains(second)
            && (0...999_999).contains(microsecond)
    }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "datetime", "time"),
            (1...2).contains(object.arguments.count), let state = object.arguments[0].latin1Bytes, state.count == 6
        else { throw PickleError.mismatch(expected: "datetime.time", found: pickle) }
        self.init(
            hour: Int(state[0] & 0x7F),
            minute: Int(state[1]),
            second: Int(state[2]),
            microsecond: Int(state[3]) << 16 | Int(state[4]) << 8 | Int(state[5]),
            fold: Int(state[0] >> 7)
        )
        if object.arguments.count == 2, !object.arguments[1].isNone { tzinfo = .view(object.arguments[1]) }
        guard isValid else { throw PickleError.mismatch(expected: "datetime.time", found: pickle) }
    }

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
}
