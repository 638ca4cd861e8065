import Huey
import HueyRedis

let huey = Huey("my-app", storage: try RedisStorage(url: "redis://localhost:6379/0"))
let thumbnail = huey.remoteTask("tasks.thumbnail", returning: String.self)

let result = try await thumbnail("cat.png", keywords: ["width": 640])
print(try await result.value(timeout: .seconds(10)))
await huey.close()
