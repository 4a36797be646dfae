#!lua flags=allow-oom
-- Removes a token.
-- KEYS 1: hash id → token, 2: sorted set of tokens by when they expire, 3: set of its user's tokens
-- ARGV 1: id
-- RETURNS 1; 0 where there was none
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
