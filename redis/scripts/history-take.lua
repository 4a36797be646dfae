#!lua flags=allow-oom
-- Takes quarters of a series that are due, to be rolled up; by the round it is known whether they got readings meanwhile.
-- KEYS 1: hash id → state, 2: sorted set id → when the earliest quarter begins that is due, 3: hash of quarters that are
--   being rolled up, 4: the series' readings, 5: its quarters that are due
-- ARGV 1: id, 2: begins after, 3: begins before, 4: how many at most, 5: by how much a member may end after its first
--   reading, 6: bytes of readings at most, but for those of one quarter
-- RETURNS round, starts of the quarters, members with their readings
local bytes = redis.call('HGET', KEYS[1], ARGV[1])
if not bytes then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return { 0, {}, {} }
end
local starts = redis.call('ZRANGEBYSCORE', KEYS[5], '(' .. ARGV[2], '(' .. ARGV[3], 'LIMIT', 0, ARGV[4])
if #starts == 0 then
  return { 0, {}, {} }
end
-- What comes now is to be marked anew.
local state = decodeState(bytes)
state.dueFrom, state.dueTo = math.huge, -math.huge
redis.call('HSET', KEYS[1], ARGV[1], encodeState(state))
local round = redis.call('HINCRBY', KEYS[3], 'round', 1)
local readings, count = membersOf(KEYS[4], starts, tonumber(ARGV[5]), tonumber(ARGV[6]))
local taken = {}
for i = 1, count do
  taken[i] = starts[i]
  redis.call('HSET', KEYS[3], ARGV[1] .. ' ' .. starts[i], round)
end
return { round, taken, readings }
