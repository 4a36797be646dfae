#!lua flags=no-writes
-- The oldest command of a device that is not final.
-- KEYS 1 commands, 2 open: see command-enqueue
-- ARGV 1 endpoint
-- RETURNS its id and record, or nothing
local id = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^[^:]+')
if not id then return nil end
return { id, redis.call('HGET', KEYS[1], id) }
