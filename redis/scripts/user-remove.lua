#!lua
-- Removes a user with his sessions and tokens.
-- KEYS 1: hash name → user, 2: set of the names of those who may do everything, 3: hash id → session,
--   4: sorted set of sessions by when they end, 5: sorted set of his sessions by when they began, 6: hash id → token,
--   7: sorted set of tokens by when they expire, 8: set of his tokens
-- ARGV 1: name
-- RETURNS 'removed', 'unknown' or 'last_administrator'
local name = ARGV[1]
if redis.call('HEXISTS', KEYS[1], name) == 0 then return 'unknown' end
if redis.call('SISMEMBER', KEYS[2], name) == 1 and redis.call('SCARD', KEYS[2]) == 1 then
  return 'last_administrator'
end
redis.call('HDEL', KEYS[1], name)
redis.call('SREM', KEYS[2], name)
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
  redis.call('HDEL', KEYS[3], id)
  redis.call('ZREM', KEYS[4], id)
end
for _, id in ipairs(redis.call('SMEMBERS', KEYS[8])) do
  redis.call('HDEL', KEYS[6], id)
  redis.call('ZREM', KEYS[7], id)
end
redis.call('DEL', KEYS[5], KEYS[8])
return 'removed'
