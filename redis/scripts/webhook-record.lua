#!lua
-- Replaces a webhook's progress and enters a delivery, in the place of one of the same id; the newest stay.
-- KEYS 1: hash id → settings, 2: hash id → progress, 3: hash delivery → record, 4: sorted set delivery → number
-- ARGV 1: id, 2: progress, empty to leave it, 3: deliveries that stay, 4: id of the delivery, 5: its record; both
--   are absent where none is entered
-- RETURNS 1; 0 where there is no such webhook
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
end
if ARGV[4] == nil then
  return 1
end
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
local newest = redis.call('ZREVRANGE', KEYS[4], 0, 0, 'WITHSCORES')
redis.call('ZADD', KEYS[4], 'NX', (tonumber(newest[2]) or 0) + 1, ARGV[4])
for _, old in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1 - tonumber(ARGV[3]))) do
  redis.call('HDEL', KEYS[3], old)
  redis.call('ZREM', KEYS[4], old)
end
return 1
