/// An error that says why its task is put aside, where failed tasks are kept.
public protocol DeadLetterExplaining: Error {
    /// Why, for programs.
    var deadLetterReason: DeadLetter.Reason { get }
    /// Why, for people. Never holds arguments.
    var deadLetterDetail: String { get }
}
