#!lua
-- Ends some devices of a job that wait.
-- KEYS 1: hash of the job, 2: hash endpoint → device's record, 3: sorted set of endpoints that wait, 4: of those in the
--   state that they get
-- ARGV 1: that state, 2: reason, 3: when, 4: how many at most
-- RETURNS the fields of the job; false where it is unknown
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local waiting = redis.call('ZRANGEBYLEX', KEYS[3], '-', '+', 'LIMIT', 0, ARGV[4])
for _, endpoint in ipairs(waiting) do
  local device = cjson.decode(redis.call('HGET', KEYS[2], endpoint))
  redis.call('HSET', KEYS[2], endpoint,
    cjson.encode({ ARGV[1], device[2], device[3], '=' .. ARGV[2], device[5], ARGV[3] }))
  redis.call('ZREM', KEYS[3], endpoint)
  redis.call('ZADD', KEYS[4], 0, endpoint)
end
redis.call('HINCRBY', KEYS[1], 'count:waiting', 0 - #waiting)
redis.call('HINCRBY', KEYS[1], 'count:' .. ARGV[1], #waiting)
return redis.call('HGETALL', KEYS[1])
