#!lua flags=no-writes
-- One registration, with the fencing number of its owner.
-- KEYS registrations, ids, owners (of the bucket)
-- ARGV 1 'id' or 'endpoint', 2 which
-- RETURNS { endpoint, row, fence }; nil: there is none
local endpoint = ARGV[2]
if ARGV[1] == 'id' then endpoint = redis.call('HGET', KEYS[2], endpoint) end
local row = endpoint and redis.call('HGET', KEYS[1], endpoint)
if not row then return nil end
return { endpoint, row, fenceOf(KEYS[3], endpoint) }
