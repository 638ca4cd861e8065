/// What a consumer keeps between the storage and its tasks: messages that it has fetched and not started, and effects of finished tasks
/// that it has not written. Several consumers may keep some for one instance; see ``Huey/attach(_:)``.
package protocol StorageBuffer: AnyObject, Sendable {
    /// Puts the messages that no worker has started back into the queue.
    func returnMessages() async
    /// Writes the effects of finished tasks.
    ///
    /// - Throws: the storage's error.
    func flushEffects() async throws
    /// A message of this priority was just enqueued: none of lower priority that was fetched before starts first.
    ///
    /// - Throws: the storage's error.
    func makeWay(for priority: Double) async throws
}
