#!lua
-- A step of a job's life, from one of some states.
-- KEYS 1: hash of the job, 2: sorted set job → when it ended
-- ARGV 1: id, 2: new state, 3: when, 4: 1 where it ends, 5: reason, 6: endsAs, 7: selected, 8: when it expires, each
--   empty where there is none, 9: 1 to begin the count of failures again, 10: states whose devices have not ended,
--   by spaces, 11…: states in which it takes place
-- RETURNS the fields of the job; false where it is in another state, or would end while a device has not
local state = redis.call('HGET', KEYS[1], 'state')
local fits = false
for i = 11, #ARGV do
  fits = fits or ARGV[i] == state
end
if not state or not fits then
  return false
end
local ends = ARGV[4] == '1'
if ends then
  for open in string.gmatch(ARGV[10], '%S+') do
    if tonumber(redis.call('HGET', KEYS[1], 'count:' .. open) or '0') > 0 then
      return false
    end
  end
end
local function put(field, value)
  if value == '' then
    redis.call('HDEL', KEYS[1], field)
  else
    redis.call('HSET', KEYS[1], field, value)
  end
end
redis.call('HSET', KEYS[1], 'state', ARGV[2])
put('reason', ARGV[5])
put('endsAs', ARGV[6])
if ARGV[7] ~= '' then
  put('selected', ARGV[7])
end
if ARGV[8] ~= '' then
  put('expiresAt', ARGV[8])
end
if ARGV[9] == '1' then
  put('failures', '0')
end
if ARGV[2] == 'running' then
  redis.call('HSETNX', KEYS[1], 'startedAt', ARGV[3])
end
put('endedAt', ends and ARGV[3] or '')
if ends then
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
else
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return redis.call('HGETALL', KEYS[1])
