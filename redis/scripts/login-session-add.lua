#!lua
-- Enters a session; of its user's the newest stay.
-- KEYS 1: hash id → session, 2: sorted set of sessions by when they end, 3: sorted set of its user's by when they began
-- ARGV 1: id, 2: session, 3: when it ends, 4: when it began, 5: sessions that stay
-- RETURNS how many went
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
local old = redis.call('ZRANGE', KEYS[3], 0, -1 - tonumber(ARGV[5]))
for _, id in ipairs(old) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
end
return #old
