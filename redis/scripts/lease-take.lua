#!lua flags=allow-oom
-- Takes a free lease, or holds one's own for longer.
-- KEYS holder, fence
-- ARGV holder, time to live (ms)
-- RETURNS the fencing number; nil: somebody else has it
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[2]) or '0')
end
if holder then return nil end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return fence
