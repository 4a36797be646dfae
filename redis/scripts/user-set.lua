#!lua
-- Makes a user, or changes one that is as it was read.
-- KEYS 1: hash name → user, 2: set of the names of those who may do everything
-- ARGV 1: name, 2: the user as he was read, empty where he is to be made, 3: the user, 4: 1 where he may do everything,
--   5: users at the most, of those that are made
-- RETURNS 'done', 'stale' where he is another than was read, 'taken', 'full' or 'last'
local name, before = ARGV[1], redis.call('HGET', KEYS[1], ARGV[1]) or ''
if ARGV[2] == '' then
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then return 'full' end
  if before ~= '' then return 'taken' end
elseif before ~= ARGV[2] then
  return 'stale'
end
local was = redis.call('SISMEMBER', KEYS[2], name) == 1
if was and ARGV[4] ~= '1' and redis.call('SCARD', KEYS[2]) == 1 then return 'last' end
redis.call('HSET', KEYS[1], name, ARGV[3])
if ARGV[4] == '1' then redis.call('SADD', KEYS[2], name) else redis.call('SREM', KEYS[2], name) end
return 'done'
