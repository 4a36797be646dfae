#!lua flags=allow-oom
-- Removes a job that has ended, with its devices.
-- KEYS 1: hash of the job, 2: sorted set job → number, 3: sorted set job → when it ended, 4…: what is kept of its devices
-- ARGV 1: id
-- RETURNS 1; 0 where it is unknown, or has not ended
if redis.call('HEXISTS', KEYS[1], 'endedAt') == 0 then
  return 0
end
for i = 4, #KEYS do
  redis.call('UNLINK', KEYS[i])
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
