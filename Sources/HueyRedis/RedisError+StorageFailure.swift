public import Huey
public import Redis

extension RedisError: StorageFailure {
    public var mayHaveHappened: Bool { mayHaveExecuted }
}
