import Huey
import Pickle

/// The keyword arguments of huey's `crontab`.
struct CrontabFields {
    private var values = ["minute": "*", "hour": "*", "day": "*", "month": "*", "day_of_week": "*"]
    private let strict: Bool

    /// - Throws: ``PickleException``: Python's error for a wrong call.
    init(_ fields: PickleView, strict: Bool) throws {
        self.strict = strict
        for field in fields.pairs.map(Array.init) ?? [] {
            let (name, value) = (field.key.string ?? "", field.value)
            guard values[name] != nil else {
                throw PickleException.builtin("TypeError", "crontab() got an unexpected keyword argument '\(name)'")
            }
            guard let text = value.string ?? value.decimal else {
                let type = PythonArithmetic.typeName(value)
                throw PickleException.builtin("AttributeError", "'\(type)' object has no attribute 'split'")
            }
            values[name] = text
        }
    }

    func crontab() throws -> Crontab {
        try Crontab(
            minute: values["minute", default: "*"],
            hour: values["hour", default: "*"],
            day: values["day", default: "*"],
            month: values["month", default: "*"],
            dayOfWeek: values["day_of_week", default: "*"],
            strict: strict
        )
    }
}
