#!lua
-- A token was used.
-- KEYS 1: hash id → token
-- ARGV 1: id, 2: token
-- RETURNS 1; 0 where it is not there any more
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
