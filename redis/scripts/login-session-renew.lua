#!lua
-- A session was used.
-- KEYS 1: hash id → session, 2: sorted set of sessions by when they end
-- ARGV 1: id, 2: session, 3: when it ends
-- RETURNS 1; 0 where it is not there any more
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
