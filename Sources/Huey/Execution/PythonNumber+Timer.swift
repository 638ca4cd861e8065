import Pickle

extension PythonNumber {
    /// Whether Python could set a timer of so many seconds. Mirrors `signal.setitimer`, whose errors are the task's.
    ///
    /// - Throws: ``PickleException``, with CPython's words.
    func checkTimer() throws {
        let seconds = double
        if seconds.isNaN { throw PickleException.builtin("ValueError", "Invalid value NaN (not a number)") }
        // Beyond, nanoseconds do not fit 64 bits, or seconds do not.
        guard seconds.magnitude < 9.223_372_036e9 else {
            var isFloat = false
            if case .float = self { isFloat = true }
            let text =
                isFloat && seconds.magnitude >= 9.223_372_036e18
                ? "timestamp out of range for platform time_t" : "timestamp too large to convert to C _PyTime_t"
            throw PickleException.builtin("OverflowError", text)
        }
        guard seconds >= 0 else {
            throw PickleException(
                module: "signal",
                name: "itimer_error",
                arguments: [.int(22), .string("Invalid argument")]
            )
        }
    }
}
