#!lua flags=no-writes
-- Roll-ups of a series, with the readings of quarters that are due, all of one moment.
-- KEYS 1: hash id → state, 2: the series' readings, 3: its roll-ups, 4: its quarters that are due
-- ARGV 1: id, 2: quarters that begin at or after, 3: and before, 4: 1 with their minutes, 5: how many may be due,
--   6: by how much a member may end after its first reading
-- RETURNS the state, empty where there is no such series; 1 where more are due, and then nothing else; roll-ups; starts
--   of quarters that are due; members with their readings
local state = redis.call('HGET', KEYS[1], ARGV[1])
if not state then
  return { '', 0, {}, {}, {} }
end
local before = '(' .. ARGV[3]
local due = redis.call('ZRANGEBYSCORE', KEYS[4], ARGV[2], before)
if #due > tonumber(ARGV[5]) then
  return { state, 1, {}, {}, {} }
end
local rollUps = redis.call('ZRANGEBYSCORE', KEYS[3], ARGV[2], before)
if ARGV[4] ~= '1' then
  for i, rollUp in ipairs(rollUps) do
    rollUps[i] = string.sub(rollUp, 1, summary)
  end
end
return { state, 0, rollUps, due, (membersOf(KEYS[2], due, tonumber(ARGV[6]), math.huge)) }
