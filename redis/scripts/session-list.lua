#!lua flags=allow-oom
-- Enters the id of a session among those of its identity, for as long as it is kept; the oldest give way.
-- KEYS 1 ids, by when they were entered
-- ARGV 1 id, 2 now (ms), 3 how long it is kept, ms, 4 how many there are at the most
-- RETURNS the ids that gave way
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), redis.call('PTTL', KEYS[1])))
local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if excess <= 0 then return {} end
local ids = {}
local popped = redis.call('ZPOPMIN', KEYS[1], excess)
for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
return ids
