#!lua
-- Keeps an observation while its registration lasts.
-- KEYS ids, observations, observed (of the bucket)
-- ARGV 1 token, 2 registration id, 3 endpoint, 4 observation
-- RETURNS 1; 0: the registration has ended
local token, id = ARGV[1], ARGV[2]
if redis.call('HGET', KEYS[1], id) ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[2], token, id .. '\n' .. ARGV[4])
local tokens = redis.call('HGET', KEYS[3], id)
if not tokens then
  redis.call('HSET', KEYS[3], id, token)
elseif not string.find(' ' .. tokens .. ' ', ' ' .. token .. ' ', 1, true) then
  redis.call('HSET', KEYS[3], id, tokens .. ' ' .. token)
end
return 1
