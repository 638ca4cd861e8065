/// A message with the task that it calls. A class, because both are large: a run hands them from step to step without copying.
final class StartedTask: Sendable {
    let delivery: Delivery
    let decoded: PreparedMessage
    let task: RegisteredTask

    var message: Message { decoded.message }

    init(delivery: Delivery, decoded: PreparedMessage, task: RegisteredTask) {
        self.delivery = delivery
        self.decoded = decoded
        self.task = task
    }

    convenience init(delivery: Delivery, message: Message, task: RegisteredTask) {
        self.init(delivery: delivery, decoded: PreparedMessage(message, of: task), task: task)
    }
}
