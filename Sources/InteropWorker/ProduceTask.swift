import Huey
import HueyRedis
import Pickle

/// Enqueues what a dict describes, through the producer's API.
struct ProduceTask: Sendable {
    let huey: Huey
    let instance: InstanceArguments

    /// - Returns: the ids, in order.
    func produce(_ spec: PickleView) async throws -> [String] {
        let target = try spec["queue"].flatMap(\.string).map { try instance.makeNeighbour($0, of: huey) } ?? huey
        var count = 0
        try Self.measure(spec, depth: 0, &count)
        // All of it is built before any of it is enqueued.
        let ids = try await enqueue(build(spec, on: target), on: target)
        return instance.noResults ? [] : ids
    }

    /// What a spec describes.
    private enum Built {
        case task(Message)
        case group([Built])
        case chord(Chord)
    }

    private func build(_ spec: PickleView, on huey: Huey) throws -> Built {
        switch spec["kind"]?.string ?? "task" {
        case "task": .task(try message(spec, on: huey))
        case "group": .group(try tasks(of: spec).map { try build($0, on: huey) })
        case "chord": .chord(try chord(spec, on: huey))
        case let kind: throw PickleException.builtin("ValueError", "unknown kind: '\(kind)'")
        }
    }

    /// Refuses what nests without bound, and what stands for more tasks than it looks like because its parts are shared.
    private static func measure(_ spec: PickleView, depth: Int, _ count: inout Int) throws {
        count += 1
        guard depth <= 150, count <= 100_000 else {
            throw PickleException.builtin("RecursionError", "maximum recursion depth exceeded")
        }
        for name in ["tasks", "then"] {
            guard let parts = spec[name]?.elements else { continue }
            for part in parts { try measure(part, depth: depth + 1, &count) }
        }
        for name in ["callback", "error"] {
            if let part = spec[name], part.kind == .dict { try measure(part, depth: depth + 1, &count) }
        }
    }

    private func enqueue(_ built: Built, on huey: Huey) async throws -> [String] {
        switch built {
        case .task(let message):
            return try await huey.enqueue(message).map(\.id)
        case .group(let members):
            var ids: [String] = []
            for member in members { ids += try await enqueue(member, on: huey) }
            return ids
        case .chord(let chord):
            let result = try await huey.enqueue(chord)
            return result.members.map(\.id) + (result.callback.first.map { [$0.id] } ?? [])
        }
    }

    private func tasks(of spec: PickleView) throws -> PickleView.Elements {
        guard let tasks = spec["tasks"]?.elements else { throw PickleException.builtin("KeyError", "tasks") }
        return tasks
    }

    private func chord(_ spec: PickleView, on huey: Huey) throws -> Chord {
        guard let callback = spec["callback"] else { throw PickleException.builtin("KeyError", "callback") }
        let members = try tasks(of: spec).map { member -> Chord.Member in
            switch member["kind"]?.string ?? "task" {
            case "task":
                return .task(try message(member, on: huey))
            case "chord":
                return .chord(try chord(member, on: huey))
            default:
                let text =
                    "cannot use `group` as a chord member - use .then() to convert to a `chord` first."
                throw PickleException.builtin("ValueError", text)
            }
        }
        return Chord(members, callback: try message(callback, on: huey))
    }

    private func message(_ spec: PickleView, on huey: Huey) throws -> Message {
        guard let task = spec["task"]?.string else { throw PickleException.builtin("KeyError", "task") }
        var message = try huey.message(
            InteropTasks.wireName(task),
            arguments(spec),
            options: options(spec)
        )
        if let retries = spec["retries"], !retries.isNone { message.setRetries(retries) }
        for next in spec["then"]?.elements.map(Array.init) ?? [] {
            message = message.then(try self.message(next, on: huey))
        }
        if let handler = spec["error"], !handler.isNone {
            message = message.onError(try self.message(handler, on: huey))
        }
        return message
    }

    private func arguments(_ spec: PickleView) -> TaskArguments {
        TaskArguments(
            positional: spec["args"]?.elements.map { $0.map { $0 as TaskArguments.Value } } ?? [],
            keywords: spec["kwargs"]?.pairs.map { $0.map { (key: $0.key as TaskArguments.Value, value: $0.value) } }
                ?? []
        )
    }

    /// Mirrors what `.s()` and `normalize_time` do with `eta` and `delay`.
    private func start(_ spec: PickleView) throws -> TaskOptions.Start? {
        let given = (
            delay: spec["delay"].flatMap { $0.isNone ? nil : $0 }, eta: spec["eta"].flatMap { $0.isNone ? nil : $0 }
        )
        switch given {
        case (nil, nil):
            return nil
        case (let delay?, nil):
            if let seconds = Self.span(delay) { return .delay(seconds: seconds) }
            return .delay(seconds: try seconds(delay))
        case (nil, let eta?):
            guard let moment = try? PickleDateTime(pickle: eta) else {
                throw PickleException.builtin("ValueError", "eta must be a datetime instance")
            }
            return .eta(moment)
        default:
            throw PickleException.builtin("ValueError", "Specify either an eta (datetime) or delay (seconds)")
        }
    }

    /// A `timedelta` in seconds.
    private static func span(_ view: PickleView) -> PythonNumber? {
        guard let span = try? PickleTimeDelta(pickle: view) else { return nil }
        let (seconds, attoseconds) = span.duration.components
        return .float(Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// Seconds of any kind; what is none is an error only once it is computed with.
    static func seconds(asGiven view: PickleView) -> PythonNumber { span(view) ?? PythonNumber(field: view) }

    /// A number of seconds, as `datetime.timedelta(seconds=…)` takes it.
    private func seconds(_ view: PickleView) throws -> PythonNumber {
        if let number = try? PythonNumber(pickle: view) { return number }
        if let large = view.bigInt { return .float(Double(large)) }
        let type =
            view.object?.className.map { $0.module == "builtins" ? $0.name : "\($0.module).\($0.name)" }
            ?? PythonArithmetic.typeName(view)
        throw PickleException.builtin("TypeError", "unsupported type for timedelta seconds component: \(type)")
    }

    private func expiry(_ view: PickleView?) throws -> Expiry? {
        guard let view, !view.isNone else { return nil }
        if let expiry = try? Expiry(pickle: view) { return expiry }
        if !view.isTrue { return try Expiry(field: view) }
        return .seconds(try seconds(view))
    }

    private func options(_ spec: PickleView) throws -> TaskOptions {
        // huey takes whatever it is given, and minds when it computes with it.
        func number(_ name: String) -> PythonNumber? {
            spec[name].flatMap { $0.isNone ? nil : PythonNumber(field: $0) }
        }
        var options = TaskOptions()
        if let id = spec["id"], !id.isNone { options.id = try String(pickle: id) }
        options.start = try start(spec)
        options.priority = number("priority")
        options.retryDelay = number("retry_delay")
        options.retryBackoff = number("retry_backoff")
        options.expires = try expiry(spec["expires"])
        options.timeout = number("timeout")
        return options
    }
}
