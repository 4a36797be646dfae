#!lua flags=allow-oom
-- A node goes; not another process that has taken its name meanwhile.
-- KEYS members, slots, deadlines, seen
-- ARGV name, incarnation
-- RETURNS 1 where it was entered
local name = ARGV[1]
local entry = redis.call('HGET', KEYS[2], name)
if not entry then return 0 end
local _, incarnation = string.match(entry, '^(%d+) (%S+) ')
if incarnation ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], name)
redis.call('HDEL', KEYS[2], name)
redis.call('ZREM', KEYS[3], name)
redis.call('HDEL', KEYS[4], name)
return 1
