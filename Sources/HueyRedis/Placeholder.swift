// The module HueyRedis.
