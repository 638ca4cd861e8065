/// A message with the task that it calls. A class, because both are large: a run hands them from step to step without copying.
final class StartedTask: Sendable {
    let delivery: Delivery
    let message: Message
    let task: RegisteredTask

    init(delivery: Delivery, message: Message, task: RegisteredTask) {
        self.delivery = delivery
        self.message = message
        self.task = task
    }
}
