#!lua
-- Makes a job in the state `preparing`, with the devices that it names, waiting.
-- KEYS 1: hash of the job, 2: sorted set job → number, 3: hash endpoint → device's record, 4: sorted set of endpoints
--   that wait
-- ARGV 1: id, 2: definition, 3: when it expires, 4: 1 where its devices are all there, 5: when it is made, 6…: endpoints
-- RETURNS 1 where it was made, 0 where there is one of this id; then the fields of the job
local created = 0
if redis.call('EXISTS', KEYS[1]) == 0 then
  created = 1
  local newest = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  redis.call('ZADD', KEYS[2], (tonumber(newest[2]) or 0) + 1, ARGV[1])
  local waiting = 0
  local record = cjson.encode({ 'waiting', '1', '', '', '', ARGV[5] })
  for i = 6, #ARGV do
    if redis.call('HSETNX', KEYS[3], ARGV[i], record) == 1 then
      redis.call('ZADD', KEYS[4], 0, ARGV[i])
      waiting = waiting + 1
    end
  end
  redis.call('HSET', KEYS[1], 'definition', ARGV[2], 'state', 'preparing', 'selected', ARGV[4], 'failures', 0,
    'expiresAt', ARGV[3], 'count:waiting', waiting)
end
return { created, redis.call('HGETALL', KEYS[1]) }
