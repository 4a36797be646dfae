#!lua flags=no-writes
-- A stretch of the readings of a series.
-- KEYS 1: hash id → state, 2: the series' readings
-- ARGV 1: id, 2: 1 for those that end last first, 3: they end at or after, 4: they end before or at, as ZRANGEBYSCORE has
--   it, 5: members at most, 6: bytes at most, but for a single larger one
-- RETURNS the state, empty where there is no such series; 1 where there may be more, else 0; then of each member when it
--   ends, and the member
local state = redis.call('HGET', KEYS[1], ARGV[1])
if not state then
  return { '', 0, {} }
end
local rows
if ARGV[2] == '1' then
  rows = redis.call('ZREVRANGEBYSCORE', KEYS[2], ARGV[4], ARGV[3], 'WITHSCORES', 'LIMIT', 0, ARGV[5])
else
  rows = redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[3], ARGV[4], 'WITHSCORES', 'LIMIT', 0, ARGV[5])
end
local found = {}
local left = tonumber(ARGV[6])
for i = 1, #rows, 2 do
  left = left - #rows[i]
  if i > 1 and left < 0 then
    return { state, 1, found }
  end
  found[#found + 1] = rows[i + 1]
  found[#found + 1] = rows[i]
end
return { state, #rows == 2 * tonumber(ARGV[5]) and 1 or 0, found }
