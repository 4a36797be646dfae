#!lua
-- Replaces a webhook's settings.
-- KEYS 1: hash id → settings
-- ARGV 1: id, 2: settings
-- RETURNS 1; 0 where there is none of this id
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
