public import Pickle

/// When a task is too old to run: huey's `expires`, as it stands in a message.
public enum Expiry: Sendable, Hashable {
    /// Seconds after the task is enqueued.
    case seconds(PythonNumber)
    /// A `datetime.timedelta` after the task is enqueued.
    case timedelta(PickleTimeDelta)
    /// A moment: naive (local time where the producer ran) or aware.
    case datetime(PickleDateTime)
    /// Something else, as a producer's mistake may put it into a message: an error once it has to be resolved.
    case other(PickleView)

    /// Python's truth value: a zero number or a zero `timedelta` is no expiry at all.
    var isTrue: Bool {
        switch self {
        case .seconds(let number): number.isTrue
        case .timedelta(let delta): delta.duration.wholeMicroseconds != 0
        case .datetime: true
        case .other(let view): view.isTrue
        }
    }
}

extension Expiry: PickleCodable {
    /// A message's field: an expiry, or whatever stands in its place.
    ///
    /// - Throws: ``PickleError`` for a `timedelta` or `datetime` that Python does not know either: it could not read the message.
    package init(field view: PickleView) throws {
        do {
            self = try Expiry(pickle: view)
        } catch {
            let isTime = ["timedelta", "datetime"].contains { view.object?.isInstance(of: "datetime", $0) == true }
            guard !isTime else { throw error }
            self = .other(view)
        }
    }

    public init(pickle view: PickleView) throws {
        if view.object?.isInstance(of: "datetime", "timedelta") == true {
            self = .timedelta(try PickleTimeDelta(pickle: view))
        } else if view.kind == .object {
            self = .datetime(try PickleDateTime(pickle: view))
        } else {
            self = .seconds(try PythonNumber(pickle: view))
        }
    }

    public func encode(to writer: inout PickleWriter) throws {
        switch self {
        case .seconds(let number): try writer.write(number)
        case .timedelta(let delta): try writer.write(delta)
        case .datetime(let moment): try writer.write(moment)
        case .other(let view): try writer.write(view)
        }
    }
}
