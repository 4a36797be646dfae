#!lua flags=allow-oom
-- Removes the oldest events. It may be a full Redis that makes room so.
-- KEYS 1 stream of the events, 2 figures of the log, 3 ids of the newest: see events-append
-- ARGV 1 how many are kept, 2 how many go at the most
-- RETURNS how many went
local many = math.min(redis.call('XLEN', KEYS[1]) - tonumber(ARGV[1]), tonumber(ARGV[2]))
if many <= 0 then return 0 end
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', many + 1)
for i = 1, many do
  local id, fields = string.match(entries[i][1], '^%d+'), entries[i][2]
  local of = { 't:' .. fields[2] }
  if fields[4] ~= '' then of[#of + 1] = 'e:' .. fields[4] end
  if fields[10] ~= '' then of[#of + 1] = '!' end
  local newest = redis.call('HMGET', KEYS[3], unpack(of))
  for j = 1, #of do
    if newest[j] == id then redis.call('HDEL', KEYS[3], of[j]) end
  end
end
local next = entries[many + 1]
local oldest
if next then
  oldest = string.match(next[1], '^%d+')
  redis.call('XTRIM', KEYS[1], 'MINID', next[1])
else
  oldest = string.format('%.0f', tonumber(redis.call('HGET', KEYS[2], 'newest')) + 1)
  redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
end
redis.call('HSET', KEYS[2], 'oldest', oldest)
return many
