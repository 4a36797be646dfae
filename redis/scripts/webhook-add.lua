#!lua
-- Enters a webhook behind the others.
-- KEYS 1: list of ids in the order in which they were made, 2: hash id → settings, 3: hash id → progress
-- ARGV 1: id, 2: settings, 3: progress
-- RETURNS 1; 0 where there is one of this id, which stays
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 0 then
  return 0
end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
redis.call('RPUSH', KEYS[1], ARGV[1])
return 1
