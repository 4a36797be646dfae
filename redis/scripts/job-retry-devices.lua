#!lua
-- Devices of a job that is preparing wait again.
-- KEYS 1: hash of the job, 2: hash endpoint → device's record, 3: sorted set of endpoints that wait, 4…: of those in the
--   states that are tried again
-- ARGV 1: when, 2: how many at most, 3…: the states in the order of their keys
-- RETURNS how many wait again
if redis.call('HGET', KEYS[1], 'state') ~= 'preparing' then
  return 0
end
local left = tonumber(ARGV[2])
for i = 4, #KEYS do
  local found = redis.call('ZRANGEBYLEX', KEYS[i], '-', '+', 'LIMIT', 0, left)
  for _, endpoint in ipairs(found) do
    local device = cjson.decode(redis.call('HGET', KEYS[2], endpoint))
    local attempt = tostring(tonumber(device[2]) + 1)
    redis.call('HSET', KEYS[2], endpoint, cjson.encode({ 'waiting', attempt, device[3], '', '', ARGV[1] }))
    redis.call('ZREM', KEYS[i], endpoint)
    redis.call('ZADD', KEYS[3], 0, endpoint)
  end
  redis.call('HINCRBY', KEYS[1], 'count:' .. ARGV[i - 1], 0 - #found)
  redis.call('HINCRBY', KEYS[1], 'count:waiting', #found)
  left = left - #found
end
return tonumber(ARGV[2]) - left
