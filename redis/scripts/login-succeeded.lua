#!lua
-- An attempt to log in succeeded.
-- KEYS 1: hash key → failures and time, 2: sorted set of keys by their last attempt: see login-begin
-- ARGV 1: key that is forgotten, 2: key of which the attempt alone is taken back
-- RETURNS 1
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local known = redis.call('HGET', KEYS[1], ARGV[2])
if known then
  local failures = tonumber(string.match(known, '^%d+'))
  redis.call('HSET', KEYS[1], ARGV[2], string.format('%d 0', math.max(0, failures - 1)))
end
return 1
