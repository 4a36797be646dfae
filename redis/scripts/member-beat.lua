#!lua flags=allow-oom
-- A node lives, and this is how it fares.
-- KEYS members, slots, deadlines, seen
-- ARGV name, incarnation, info, time to live (ms)
-- RETURNS 1; 0: it is entered no more, or another process is entered by its name
local name = ARGV[1]
local entry = redis.call('HGET', KEYS[2], name)
if not entry then return 0 end
local _, incarnation = string.match(entry, '^(%d+) (%S+) ')
if incarnation ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], name, ARGV[3])
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[4]), name)
redis.call('HSET', KEYS[4], name, now)
return 1
