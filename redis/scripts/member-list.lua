#!lua flags=allow-oom
-- All members, as of one moment; or, to bury them, those whose time is over, which are removed.
-- KEYS members, slots, deadlines, seen
-- ARGV '1' to bury
-- RETURNS { name, info, slot, seen (ms), … }
local names
if ARGV[1] == '1' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  names = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)
else
  names = redis.call('ZRANGE', KEYS[3], 0, -1)
end
table.sort(names)
local found = {}
for _, name in ipairs(names) do
  local info = redis.call('HGET', KEYS[1], name)
  local entry = redis.call('HGET', KEYS[2], name)
  local seen = redis.call('HGET', KEYS[4], name)
  if info and entry and seen then
    found[#found + 1] = name
    found[#found + 1] = info
    found[#found + 1] = string.match(entry, '^(%d+) ')
    found[#found + 1] = seen
  end
  if ARGV[1] == '1' then
    redis.call('HDEL', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
    redis.call('ZREM', KEYS[3], name)
    redis.call('HDEL', KEYS[4], name)
  end
end
return found
