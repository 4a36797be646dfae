#!lua flags=allow-oom
-- Removes old minutes or hours. It may be a full Redis that makes room so.
-- KEYS 1 rows, 2 when they begin: see statistics-add
-- ARGV 1 time before which they go, 2 how many go at the most
-- RETURNS how many went
local times = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
if #times == 0 then return 0 end
redis.call('HDEL', KEYS[1], unpack(times))
redis.call('ZREM', KEYS[2], unpack(times))
return #times
