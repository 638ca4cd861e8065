import BigInt
import Huey
import Pickle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The tasks of the interop checks, as the reference application has them.
struct InteropTasks: Sendable {
    let huey: Huey
    let plain: PlainKeys
    let instance: InstanceArguments

    static let module = "interop_tasks"

    static func wireName(_ name: String) -> String { "\(module).\(name)" }

    func register() throws {
        registerValues()
        registerFailures()
        registerBlockers()
        registerRecorders()
        registerCoordination()
        registerProducers()
        huey.periodicTask(Self.wireName("tick"), .everyMinute) { [plain] context in
            try await plain.push("interop:log:tick", context.id)
        }
        try huey.checkRegistrations()
    }

    /// Tasks that return something made of their arguments.
    private func registerValues() {
        huey.task(Self.wireName("echo"), parameters: .variadic("args"), .keywords("kwargs")) {
            (args: PickleView, kwargs: PickleView) in
            PickleValue.tuple([.view(args), .view(kwargs)])
        }
        huey.task(Self.wireName("add"), parameters: "a", "b") { (a: PickleView, b: PickleView) in
            try PythonArithmetic.add(a, b)
        }
        huey.task(
            Self.wireName("concat"),
            parameters: "a",
            .optional("b", "!"),
            .keywordOnly("sep", "-")
        ) { (a: PickleView, b: PickleView, sep: PickleView) in
            try PythonArithmetic.add(try PythonArithmetic.add(a, sep), PickleValue(b))
        }
        huey.task(Self.wireName("nothing")) { PickleValue.none }
        huey.task(Self.wireName("pair"), parameters: "x") { (x: PickleView) in
            PickleValue.tuple([.view(x), .view(x)])
        }
        huey.task(Self.wireName("mapping"), parameters: "key", "value") { (key: PickleView, value: PickleView) in
            PickleValue.dict(PickleDictionary([(.view(key), .view(value))]))
        }
        huey.task(Self.wireName("total"), parameters: "values") { (values: PickleView) in
            try PythonArithmetic.sum(values)
        }
        huey.contextTask(Self.wireName("context")) { (context: TaskContext) in
            PickleValue.dict(
                PickleDictionary([
                    (.string("id"), .string(context.id)),
                    (.string("retries"), context.message.retriesAsGiven ?? .int(context.retries)),
                    (.string("retry_delay"), try value(of: context.retryDelay)),
                    (.string("priority"), try value(of: context.priority)),
                    (.string("eta"), try value(of: context.message.eta)),
                    (.string("expires"), try value(of: context.expires)),
                    (.string("timeout"), try value(of: context.timeout)),
                ])
            )
        }
        huey.task(
            Self.wireName("crontab"),
            parameters: "timestamp",
            .optional("strict", false),
            .keywords("fields")
        ) { (timestamp: PickleDateTime, strict: PickleView, fields: PickleView) in
            try CrontabFields(fields, strict: strict.bool ?? false).crontab().matches(timestamp)
        }
    }

    /// Tasks that fail, or ask to be run again.
    private func registerFailures() {
        let plain = plain
        huey.task(Self.wireName("fail"), parameters: "message") { (message: PickleView) in
            throw PickleException(module: "builtins", name: "ValueError", arguments: [.view(message)])
        }
        huey.task(Self.wireName("flaky"), parameters: "key", "failures") { (key: PickleView, failures: PickleView) in
            let count = try await plain.increment("interop:flaky:\(key.pythonString)")
            if try PythonArithmetic.isAtMost(count, failures) {
                throw PickleException.builtin("ValueError", "attempt \(count)")
            }
            return count
        }
        huey.task(Self.wireName("retry_later"), parameters: "key", "failures", "delay") {
            (key: PickleView, failures: PickleView, delay: PickleView) in
            let count = try await plain.increment("interop:flaky:\(key.pythonString)")
            if try PythonArithmetic.isAtMost(count, failures) {
                throw RetryTask(start: delay.isNone ? nil : .delay(seconds: ProduceTask.seconds(asGiven: delay)))
            }
            return count
        }
        huey.task(Self.wireName("cancel"), parameters: .optional("retry", .none)) { (retry: PickleView) in
            var error = CancelExecution(retry: retry.isNone ? nil : retry.isTrue)
            error.retryAsGiven = .view(retry)
            throw error
        }
        huey.task(Self.wireName("sleep"), parameters: "seconds") { (seconds: PickleView) in
            try await pythonSleep(seconds)
            return seconds
        }
    }

    /// Tasks that keep their thread without a suspension.
    private func registerBlockers() {
        huey.task(Self.wireName("block"), parameters: "seconds") { (seconds: PickleView) in
            let end = ContinuousClock.now + .seconds(try pythonSeconds(seconds))
            while ContinuousClock.now < end {
                let rest = ContinuousClock.now.duration(to: end)
                usleep(rest < .milliseconds(100) ? UInt32(max(0, rest / .microseconds(1))) : 100_000)
            }
            return seconds
        }
        huey.task(Self.wireName("spin"), parameters: "seconds") { (seconds: PickleView) in
            let end = ContinuousClock.now + .seconds(try pythonSeconds(seconds))
            while ContinuousClock.now < end {}
            return seconds
        }
    }

    /// Tasks that leave a trace.
    private func registerRecorders() {
        let plain = plain
        huey.task(Self.wireName("log"), parameters: "key", "value") { (key: PickleView, value: PickleView) in
            try await plain.push("interop:log:\(key.pythonString)", value.pythonString)
            return value
        }
        huey.task(Self.wireName("once"), parameters: "key") { (key: PickleView) in
            let key = key.pythonString
            _ = try await plain.increment("interop:once:\(key)")
            try await Task.sleep(for: .milliseconds(50))
            _ = try await plain.increment("interop:done:\(key)")
        }
        huey.task(Self.wireName("report"), parameters: "prefix", "exc") { (prefix: PickleView, exc: PickleView) in
            let type = PythonArithmetic.typeName(exc)
            try await plain.push("interop:log:error", "\(prefix.pythonString) \(type) \(exc.pythonString)")
        }
    }

    private func registerCoordination() {
        let huey = huey
        huey.task(Self.wireName("locked"), parameters: "name", "seconds") { (name: PickleView, seconds: PickleView) in
            try await huey.lock(name.pythonString).withLock {
                try await pythonSleep(seconds)
                return name
            }
        }
        huey.task(
            Self.wireName("limited"),
            parameters: "name",
            "limit",
            "per",
            .optional("retry", true)
        ) { (name: PickleView, limit: PickleView, per: PickleView, retry: PickleView) in
            let (limit, per) = try PythonArithmetic.rate(limit, per)
            let retry = retry.isTrue
            try await huey.rateLimit(name.pythonString, limit: limit, per: per, retry: retry).acquire()
            return name
        }
    }

    private func registerProducers() {
        let producer = ProduceTask(huey: huey, instance: instance)
        huey.task(Self.wireName("produce"), parameters: "spec") { (spec: PickleView) in
            try await producer.produce(spec)
        }
        let control = ControlTask(huey: huey, countsDeletions: instance.hasExpiringRedis)
        huey.task(Self.wireName("control"), parameters: "verb", .keywords("kw")) { (verb: String, kw: PickleView) in
            try await control.perform(verb, kw)
        }
    }
}

/// Python's `time.sleep()`, with its errors.
private func pythonSleep(_ seconds: PickleView) async throws {
    try await Task.sleep(for: .seconds(try pythonSeconds(seconds)))
}

/// The argument of Python's `time.sleep()`.
///
/// - Throws: Python's errors for what is none.
private func pythonSeconds(_ seconds: PickleView) throws -> Double {
    let number: Double
    if let int = seconds.bigInt {
        number = Double(int)
    } else if let value = seconds.double ?? seconds.bool.map({ $0 ? 1 : 0 }) {
        number = value
    } else {
        let text = "'\(seconds.typeName)' object cannot be interpreted as an integer"
        throw PickleException.builtin("TypeError", text)
    }
    if number.isNaN { throw PickleException.builtin("ValueError", "Invalid value NaN (not a number)") }
    guard number < 9.2e9 else {
        let isBeyondTime = seconds.double != nil && number > 9.223372e18
        throw PickleException.builtin(
            "OverflowError",
            isBeyondTime
                ? "timestamp out of range for platform time_t" : "timestamp too large to convert to C _PyTime_t"
        )
    }
    guard number >= 0 else { throw PickleException.builtin("ValueError", "sleep length must be non-negative") }
    return number
}

/// A value of ours as the dynamic value that Python would have.
private func value(of value: (some PickleEncodable)?) throws -> PickleValue {
    guard let value else { return .none }
    var writer = PickleWriter()
    try value.encode(to: &writer)
    return .view(try PickleDocument(try writer.finish()).root)
}

extension PickleView {
    /// Python's `str()`; huey's singleton has a name of its own.
    var pythonString: String { text == "<huey.utils.SKIPPED>" ? "SKIPPED" : text }
}
