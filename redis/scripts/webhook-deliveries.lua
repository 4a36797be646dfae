#!lua flags=no-writes
-- A stretch of a webhook's deliveries, the newest first.
-- KEYS 1: hash delivery → record, 2: sorted set delivery → number
-- ARGV 1: number before which it begins, 2: how many
-- RETURNS number and record of each, one after the other
local rows = redis.call('ZREVRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local found = {}
for i = 1, #rows, 2 do
  found[#found + 1] = rows[i + 1]
  found[#found + 1] = redis.call('HGET', KEYS[1], rows[i])
end
return found
