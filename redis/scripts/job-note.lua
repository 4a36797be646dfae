#!lua
-- What has become of devices of a job. One that has ended, or is at another attempt, stays as it is.
-- KEYS 1: hash of the job, 2: hash endpoint → device's record, 3…: sorted sets of endpoints, one for each state
-- ARGV 1: number of states, then the states in the order of their keys, those that are open first, then the number of
--   these; then per step endpoint, attempt, state, command, reason, result, when; texts that are there begin with =
-- RETURNS the fields of the job; false where it is unknown
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local states = tonumber(ARGV[1])
local open = tonumber(ARGV[2 + states])
local index = {}
for i = 1, states do
  index[ARGV[1 + i]] = i
end
for i = 3 + states, #ARGV, 7 do
  local endpoint, attempt, state = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local text = redis.call('HGET', KEYS[2], endpoint)
  local device = text and cjson.decode(text)
  if device and device[2] == attempt and index[device[1]] <= open then
    local command = ARGV[i + 3] ~= '' and ARGV[i + 3] or device[3]
    if state == 'waiting' then
      attempt = tostring(tonumber(attempt) + 1)
    end
    redis.call('HSET', KEYS[2], endpoint,
      cjson.encode({ state, attempt, command, ARGV[i + 4], ARGV[i + 5], ARGV[i + 6] }))
    if state ~= device[1] then
      redis.call('ZREM', KEYS[2 + index[device[1]]], endpoint)
      redis.call('ZADD', KEYS[2 + index[state]], 0, endpoint)
      redis.call('HINCRBY', KEYS[1], 'count:' .. device[1], -1)
      redis.call('HINCRBY', KEYS[1], 'count:' .. state, 1)
    end
    if state == 'failed' or state == 'unknown' then
      redis.call('HINCRBY', KEYS[1], 'failures', 1)
    end
  end
end
return redis.call('HGETALL', KEYS[1])
