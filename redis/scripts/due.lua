#!lua flags=no-writes
-- Which registrations are the next to end, of some buckets.
-- KEYS expiries of each bucket
-- ARGV 1 until when (ms, or +inf), 2 how many of each bucket at most
-- RETURNS for each key a list of endpoints, each followed by its time
local due = {}
for i, key in ipairs(KEYS) do
  due[i] = redis.call('ZRANGEBYSCORE', key, '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
end
return due
