package import Pickle

/// What a producer may have put in the place of a number of retries.
enum Retries {
    /// How many they come to: a bool is an int in Python, a whole float as good as one; of anything else counts whether it is true.
    static func count(_ view: PickleView) -> Int { number(view) ?? (view.isTrue ? 1 : 0) }

    /// Whether huey could count them down.
    static func isCountable(_ view: PickleView) -> Bool { number(view) != nil }

    private static func number(_ view: PickleView) -> Int? {
        if let bool = view.bool { return bool ? 1 : 0 }
        return view.double.flatMap { Int(exactly: $0) }
    }
}

extension Message {
    /// Sets the retries to whatever a producer put in their place.
    package mutating func setRetries(_ view: PickleView) {
        retries = view.int ?? Retries.count(view)
        wireRetries = view.int == nil ? view : nil
    }

    /// The retries as Python's own task would have them.
    package var retriesAsGiven: PickleValue? { wireRetries.map(PickleValue.view) ?? retries.map(PickleValue.int) }

    /// - Throws: ``HueyError`` `.malformedMessage` where Python could not compute with the retries.
    func checkRetriesCount() throws {
        if let wireRetries, !Retries.isCountable(wireRetries) {
            throw HueyError.malformedMessage("retries that are \(wireRetries.briefType)")
        }
    }
}
