#!lua flags=no-writes
-- Walks back through the events of a device, of a type or of trouble, each of which names the one before it.
-- KEYS 1 stream of the events, 2 ids of the newest: see events-append
-- ARGV 1 field of KEYS 2 that has the newest of them, 2 place of the one before among the values of an event,
--      3 id to begin with, 0 for the newest, 4 id before which they are wanted, 5 id behind which they are wanted,
--      6 how many are wanted at the most, 7 steps at the most, 8 1 where trouble alone is wanted; then the types that
--      are wanted, or none for all
-- RETURNS id to go on with, 0 where there is no more; then id and values of each, newest first
local place, below, above = tonumber(ARGV[2]) * 2, tonumber(ARGV[4]), tonumber(ARGV[5])
local left, steps = tonumber(ARGV[6]), tonumber(ARGV[7])
local types
for i = 9, #ARGV do
  types = types or {}
  types[ARGV[i]] = true
end
local id = ARGV[3]
if id == '0' then id = redis.call('HGET', KEYS[2], ARGV[1]) or '0' end
local reply = { '0' }
while left > 0 and tonumber(id) > above do
  if steps == 0 then break end
  steps = steps - 1
  local entry = redis.call('XRANGE', KEYS[1], id .. '-0', id .. '-0')[1]
  if not entry then
    -- It was trimmed, and with it all that was before.
    id = '0'
    break
  end
  local fields = entry[2]
  local is = tonumber(id) < below and (ARGV[8] == '' or fields[10] ~= '') and (not types or types[fields[2]])
  if is then
    reply[#reply + 1] = entry
    left = left - 1
  end
  id = fields[place]
end
if tonumber(id) > above then reply[1] = id end
return reply
