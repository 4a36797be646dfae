#!lua
-- Removes a device that is not registered, with all that its bucket keeps of it.
-- KEYS devices, registrations, owners, revision, changed, removed, profiles, observation-choices, written-attributes,
--   history-series, history-meta, history-removed (of the bucket), and
--   the last values of the device
-- ARGV 1 endpoint, 2 how many removals are kept
-- RETURNS 1; 0: it is registered, or not known
local endpoint = ARGV[1]
if redis.call('HGET', KEYS[2], endpoint) then return 0 end
if redis.call('HDEL', KEYS[1], endpoint) == 0 then return 0 end
redis.call('HDEL', KEYS[3], endpoint)
redis.call('ZREM', KEYS[5], endpoint)
redis.call('ZADD', KEYS[6], redis.call('INCR', KEYS[4]), endpoint)
redis.call('ZREMRANGEBYRANK', KEYS[6], 0, -1 - tonumber(ARGV[2]))
redis.call('UNLINK', KEYS[13])
for i = 7, 9 do redis.call('HDEL', KEYS[i], endpoint) end
local series = redis.call('HGET', KEYS[10], endpoint)
if series then
  redis.call('HDEL', KEYS[10], endpoint)
  for _, id in pairs(cjson.decode(series)) do
    redis.call('HDEL', KEYS[11], id)
    redis.call('RPUSH', KEYS[12], id)
  end
end
return 1
