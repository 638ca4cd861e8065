public import Pickle

/// What is stored in place of a failed task's result: huey's `huey.utils.Error`, a named tuple around a dict.
public struct ErrorResult: Sendable, Hashable {
    /// Python's `repr()` of the exception.
    public var error: String
    /// How many retries were left when it was raised.
    public var retries: Int
    /// A text for people; its first and last lines look like Python's.
    public var traceback: String
    public var taskID: String
    /// The id as it stands on the wire, where it is no string.
    var wireTaskID: PickleView?
    /// The retries as they stand on the wire, where they are no int.
    var wireRetries: PickleView?

    init(error: String, retries: Int, traceback: String, taskID: String, wireTaskID: PickleView? = nil) {
        self.error = error
        self.retries = retries
        self.traceback = traceback
        self.taskID = taskID
        self.wireTaskID = wireTaskID
    }
}

extension ErrorResult: PickleCodable {
    /// - Throws: ``HueyError`` `.malformedMessage` when the value is no error result.
    public init(pickle view: PickleView) throws {
        guard let object = view.object, let name = object.className, name.module == "huey.utils",
            name.name == "Error", let metadata = object.arguments.first
        else { throw HueyError.malformedMessage("expected a huey error, found \(view.briefType)") }
        error = metadata["error"]?.string ?? "unknown error"
        retries = metadata["retries"]?.int ?? 0
        traceback = metadata["traceback"]?.string ?? ""
        taskID = metadata["task_id"]?.string ?? ""
    }

    /// Whether the node is huey's error tuple.
    static func matches(_ view: PickleView) -> Bool {
        view.object?.isInstance(of: "huey.utils", "Error") == true
    }

    public func encode(to writer: inout PickleWriter) throws {
        try writer.writeNewObject(module: "huey.utils", name: "Error", argumentCount: 1) { writer in
            try writer.writeDict(count: 4) { writer in
                writer.write("error")
                writer.write(error)
                writer.write("retries")
                if let wireRetries { try writer.write(wireRetries) } else { writer.write(retries) }
                writer.write("traceback")
                writer.write(traceback)
                writer.write("task_id")
                if let wireTaskID { try writer.write(wireTaskID) } else { writer.write(taskID) }
            }
        }
    }
}

/// What a chord gets for a member that did not run: huey's `SKIPPED` singleton, pickled as a global.
public struct Skipped: Sendable, Hashable, PickleEncodable {
    public init() {}

    public func encode(to writer: inout PickleWriter) throws {
        writer.writeGlobal(module: "huey.utils", name: "SKIPPED")
    }

    /// Whether the node is huey's `SKIPPED`.
    public static func matches(_ view: PickleView) -> Bool { view.isGlobal("huey.utils", "SKIPPED") }
}
