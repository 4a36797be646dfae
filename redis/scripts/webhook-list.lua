#!lua flags=no-writes
-- All webhooks in the order in which they were made.
-- KEYS 1: list of ids, 2: hash id → settings, 3: hash id → progress
-- RETURNS settings and progress of each, one after the other
local found = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  found[#found + 1] = redis.call('HGET', KEYS[2], id)
  found[#found + 1] = redis.call('HGET', KEYS[3], id)
end
return found
