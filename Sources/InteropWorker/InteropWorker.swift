import ArgumentParser
import Huey
import HueyConsumer
import HueyRedis
import Logging
import Pickle
import Redis

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A consumer with a fixed set of tasks, which a reference application in Python has under the same names: whatever a
/// producer does, both must leave the same behind.
@main
struct InteropWorker: ConsumerCommand {
    static let configuration = CommandConfiguration(
        commandName: "interop-worker",
        abstract: "A Swift consumer for huey with the tasks of the interop checks.",
        version: HueyPackage.version
    )

    @OptionGroup var instance: InstanceArguments
    @OptionGroup var consumer: ConsumerArguments

    func makeHuey(logger: Logger) async throws -> Huey {
        let huey = try instance.makeHuey(logger: logger)
        let plain = try PlainKeys(url: instance.plainKeysURL, isPatient: instance.atLeastOnce)
        let tasks = InteropTasks(huey: huey, plain: plain, instance: instance)
        try tasks.register()
        if instance.recordSignals {
            huey.onSignal { event in
                let name = event.message.name.split(separator: ".").last.map(String.init) ?? event.message.name
                try await plain.push("interop:signals", "\(event.signal.rawValue) \(name)")
            }
        }
        return huey
    }

    /// huey's own contract unless asked otherwise, because the worker is compared with huey.
    func consumerOptions() throws -> ConsumerOptions {
        var options = consumer.options
        // Where the storage cannot, a scenario runs nevertheless.
        options.delivery = instance.atLeastOnce ? nil : .atMostOnce
        options.periodicOnce = instance.atLeastOnce
        options.messagePolicy.deathLimit = nil
        return options
    }

    static func consumerIsReady() {
        print("ready")
        // Every stream: standard output is a pipe when somebody waits for this line.
        fflush(nil)
    }
}
