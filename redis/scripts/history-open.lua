#!lua
-- The series of a device by their paths; those that are not there yet are made.
-- KEYS 1: hash endpoint → JSON object path → id of the series, 2: hash id → state of the series
--   (SeriesState of redis/history-records.ts), 3: the last id
-- ARGV 1: endpoint, 2…: paths
-- RETURNS of each path the id and the state
local text = redis.call('HGET', KEYS[1], ARGV[1])
local series = text and cjson.decode(text) or {}
local found = {}
local made = false
for i = 2, #ARGV do
  local id = series[ARGV[i]]
  if not id then
    made = true
    id = tostring(redis.call('INCR', KEYS[3]))
    series[ARGV[i]] = id
    redis.call('HSET', KEYS[2], id, encodeState({
      position = -1,
      sealed = -math.huge,
      oldest = math.huge,
      oldestRollUp = math.huge,
      hiddenBefore = -math.huge,
      hiddenPosition = -1,
      version = 0,
      dueFrom = math.huge,
      dueTo = -math.huge,
      name = ARGV[i] .. ' ' .. ARGV[1],
    }))
  end
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', KEYS[2], id)
end
if made then
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(series))
end
return found
