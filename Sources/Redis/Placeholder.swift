// The module Redis.
