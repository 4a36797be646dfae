#!lua flags=no-writes
-- Looks for bootstraps of one bucket, newest first.
-- KEYS 1 sessions, 2 order: see bootstrap-begin
-- ARGV 1 time of entry to begin with, as a bound of a range, 2 how many at the most
-- RETURNS id, time and record of each
local found = redis.call('ZREVRANGEBYSCORE', KEYS[2], ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local reply = {}
for i = 1, #found, 2 do
  reply[#reply + 1] = found[i]
  reply[#reply + 1] = found[i + 1]
  reply[#reply + 1] = redis.call('HGET', KEYS[1], found[i]) or ''
end
return reply
