#!lua flags=allow-oom
-- Removes a webhook with its deliveries.
-- KEYS 1: list of ids, 2: hash id → settings, 3: hash id → progress, 4: hash delivery → record,
--   5: sorted set delivery → number
-- ARGV 1: id
-- RETURNS 1; 0 where there was none
if redis.call('HDEL', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('LREM', KEYS[1], 1, ARGV[1])
redis.call('UNLINK', KEYS[4])
redis.call('UNLINK', KEYS[5])
return 1
