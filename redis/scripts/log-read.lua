#!lua flags=no-writes
-- Reads entries of the telemetry log, in order.
-- KEYS 1 stream of the entries
-- ARGV 1 position behind which to begin, 2 entries at the most, 3 bytes of bodies after which no more follow
-- RETURNS position, endpoint, receivedAt and body of each, one after the other
local after, left, bytes = ARGV[1] .. '-0', tonumber(ARGV[2]), tonumber(ARGV[3])
local reply = {}
while left > 0 and bytes > 0 do
  local step = math.min(left, 64)
  local entries = redis.call('XRANGE', KEYS[1], '(' .. after, '+', 'COUNT', step)
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    reply[#reply + 1] = string.match(entry[1], '^%d+')
    reply[#reply + 1] = fields[2]
    reply[#reply + 1] = fields[4]
    reply[#reply + 1] = fields[6]
    after, left, bytes = entry[1], left - 1, bytes - #fields[6]
    if bytes <= 0 then break end
  end
  if #entries < step then break end
end
return reply
