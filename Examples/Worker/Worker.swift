import ArgumentParser
import Huey
import HueyConsumer
import HueyRedis
import Logging

@main
struct Worker: ConsumerCommand {
    @OptionGroup var consumer: ConsumerArguments

    func makeHuey(logger: Logger) throws -> Huey {
        let huey = Huey("my-app", storage: try RedisStorage(url: "redis://localhost:6379/0"), logger: logger)
        huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a &+ b }
        return huey
    }
}
