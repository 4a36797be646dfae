#!lua
-- Appends to the audit log. Ids are times and rise: an entry of a node whose clock is behind has the time of the one before.
-- KEYS 1: stream of the entries
-- ARGV of each entry: when it was, ms; the entry, JSON
-- RETURNS how many there were
local newest = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then newest = tonumber(string.match(info[i + 1], '^%d+')) end
  end
end
for i = 1, #ARGV, 2 do
  newest = math.max(newest, tonumber(ARGV[i]))
  redis.call('XADD', KEYS[1], string.format('%.0f-*', newest), 'entry', ARGV[i + 1])
end
return #ARGV / 2
