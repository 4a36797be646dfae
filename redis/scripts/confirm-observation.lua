#!lua
-- Keeps an observation as it is now, where it still is.
-- KEYS observations (of the bucket)
-- ARGV 1 token, 2 registration id, 3 observation
-- RETURNS 1 where there was one, else 0
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value or string.match(value, '^[^\n]*') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '\n' .. ARGV[3])
return 1
