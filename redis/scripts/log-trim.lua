#!lua flags=allow-oom
-- Removes the oldest entries of the telemetry log: those beyond a time or a size, up to the first within both. It may
-- be a full Redis that makes room so.
-- KEYS 1 stream of the entries, 2 figures of the log: see log-append
-- ARGV 1 receivedAt before which they go, 2 bytes of bodies that stay at the most, 3 entries that go at the most
-- RETURNS how many went
local before, most, step = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bytes = tonumber(redis.call('HGET', KEYS[2], 'bytes') or '0')
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', step + 1)
local removed = 0
for i = 1, math.min(step, #entries) do
  local fields = entries[i][2]
  if tonumber(fields[4]) >= before and bytes <= most then break end
  bytes = bytes - #fields[6]
  removed = i
end
if removed == 0 then return 0 end

local next = entries[removed + 1]
local oldest
if next then
  oldest = string.match(next[1], '^%d+')
  redis.call('XTRIM', KEYS[1], 'MINID', next[1])
else
  oldest = string.format('%.0f', tonumber(redis.call('HGET', KEYS[2], 'newest')) + 1)
  redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
  bytes = 0
end
redis.call('HSET', KEYS[2], 'oldest', oldest, 'bytes', string.format('%.0f', bytes))
return removed
