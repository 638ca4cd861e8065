/// A Lua script that the server keeps under its SHA-1, as redis-py's `Script`.
public struct RedisScript: Sendable, Hashable {
    /// The script's text.
    public let source: String
    /// The SHA-1 of the text in hexadecimal, by which `EVALSHA` names it.
    public let sha1: String

    /// A script with this text.
    public init(_ source: String) {
        self.source = source
        sha1 = SHA1.hexadecimal(Array(source.utf8))
    }
}

extension RedisBatch {
    /// Adds `EVALSHA`; its reply is a `NOSCRIPT` error if the server does not know the script yet.
    public mutating func evaluate(_ script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument]) {
        run("EVALSHA", script.sha1, keys, arguments)
    }

    /// Adds `EVAL`, after which the server knows the script.
    public mutating func evaluate(sourceOf script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument]) {
        run("EVAL", script.source, keys, arguments)
    }

    private mutating func run(
        _ name: StaticString,
        _ script: String,
        _ keys: [RedisArgument],
        _ arguments: [RedisArgument]
    ) {
        command(name, argumentCount: 2 + keys.count + arguments.count)
        argument(script)
        argument(keys.count)
        for key in keys { argument(key) }
        for argument in arguments { self.argument(argument) }
    }
}
