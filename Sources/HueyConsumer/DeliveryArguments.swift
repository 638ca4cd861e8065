public import ArgumentParser
import Huey

/// What a consumer promises, on the command line: beside ``ConsumerArguments``, because huey_consumer has none of it.
///
/// ```swift
/// @OptionGroup var consumer: ConsumerArguments
/// @OptionGroup var delivery: DeliveryArguments
///
/// func consumerOptions() throws -> ConsumerOptions { delivery.applied(to: consumer.options) }
/// ```
public struct DeliveryArguments: ParsableArguments {
    public init() {}

    @Flag(help: "huey's own contract: what a dead worker held is lost.")
    public var atMostOnce = false

    @Flag(help: "Refuse to start where the storage cannot keep messages until they are done; the default where it can.")
    public var atLeastOnce = false

    @Option(
        help: ArgumentHelp(
            "How long a worker's heartbeat must be gone until others take over what it held.",
            valueName: "seconds"
        )
    )
    public var lease = 30.0

    @Option(help: "Messages of tasks that are not registered here: dead-letter, return (to the queue, later) or drop.")
    public var unknownTasks = UnknownTasks.deadLetter

    @Option(
        help: ArgumentHelp(
            "After how many deaths of its worker a task is put aside; 0 tries for ever.",
            valueName: "count"
        )
    )
    public var deathLimit = 3

    @Flag(help: "Put tasks aside whose last retry failed.")
    public var keepFailed = false

    @Flag(help: "At the start, enqueue each periodic task that should have run while no worker did.")
    public var catchUp = false

    /// What becomes of a message whose task is not registered.
    public enum UnknownTasks: String, ExpressibleByArgument, CaseIterable, Sendable {
        case deadLetter = "dead-letter"
        case `return`
        case drop
    }

    /// - Throws: an error for values that make no sense.
    public mutating func validate() throws {
        guard !(atMostOnce && atLeastOnce) else {
            throw ValidationError("Either --at-most-once or --at-least-once.")
        }
        guard lease.isFinite, lease >= 1, lease < 1e9 else {
            throw ValidationError("The lease must be at least one second.")
        }
        guard deathLimit >= 0 else { throw ValidationError("The death limit must not be negative.") }
    }

    /// Options with what was asked for here.
    public func applied(to options: ConsumerOptions) -> ConsumerOptions {
        var options = options
        options.delivery = atMostOnce ? .atMostOnce : atLeastOnce ? .atLeastOnce : nil
        options.lease = .seconds(lease)
        options.catchUpPeriodic = catchUp
        options.messagePolicy = MessagePolicy(
            unknownTasks: policy,
            deathLimit: deathLimit == 0 ? nil : deathLimit,
            keepsFailedTasks: keepFailed
        )
        return options
    }

    private var policy: MessagePolicy.UnknownTasks {
        switch unknownTasks {
        case .deadLetter: .deadLetter
        case .return: .giveBack(MessagePolicy.Returns())
        case .drop: .drop
        }
    }
}
