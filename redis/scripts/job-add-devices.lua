#!lua
-- Adds devices, waiting, to a job that is preparing; those that it has stay as they are.
-- KEYS 1: hash of the job, 2: hash endpoint → device's record, 3: sorted set of endpoints that wait
-- ARGV 1: when, 2…: endpoints
-- RETURNS the fields of the job; false where it is not preparing
if redis.call('HGET', KEYS[1], 'state') ~= 'preparing' then
  return false
end
local added = 0
local record = cjson.encode({ 'waiting', '1', '', '', '', ARGV[1] })
for i = 2, #ARGV do
  if redis.call('HSETNX', KEYS[2], ARGV[i], record) == 1 then
    redis.call('ZADD', KEYS[3], 0, ARGV[i])
    added = added + 1
  end
end
redis.call('HINCRBY', KEYS[1], 'count:waiting', added)
return redis.call('HGETALL', KEYS[1])
