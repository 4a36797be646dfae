#!lua flags=no-writes
-- Reads minutes or hours.
-- KEYS 1 rows, 2 when they begin: see statistics-add
-- ARGV 1 and 2 bounds of the time, 3 how many at the most
-- RETURNS when it begins, and its row, of each in order
local times = redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
if #times == 0 then return {} end
local rows = redis.call('HMGET', KEYS[1], unpack(times))
local reply = {}
for i, at in ipairs(times) do
  reply[#reply + 1] = at
  reply[#reply + 1] = rows[i]
end
return reply
