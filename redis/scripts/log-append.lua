#!lua
-- Appends entries to the telemetry log, but for those whose digest is known.
-- KEYS 1 stream of the entries
--      2 figures of the log: newest (position of the newest entry there ever was), oldest (position of the oldest that
--        is kept; newest + 1 where none is), bytes (of the bodies that are kept), history (of the data set, as Redis
--        names it: another one after a restart or a fail-over)
--      3 digest -> position, of the newest entries
--      4 the same of those before
-- ARGV 1 entries, one after the other: 12 bytes of digest, length of the body (uint32, little-endian), of the
--        endpoint (uint16), of receivedAt (uint16); endpoint, receivedAt as text, body
--      2 digests that KEYS 3 holds at the most, and 3 at the least, before they become those before
--      4 how far positions leap where the history is another one: what was asked last may be lost with the positions
--        that it had, and readers who have seen them must not take others for them
-- RETURNS how many replicas are there; position of the first entry that was stored; then, by turns, index and position
--         of each that was there
local packed = ARGV[1]
local digests, endpoints, times, bodies = {}, {}, {}, {}
local at, count, length = 1, 0, #packed
while at <= length do
  local body, endpoint, time, start = struct.unpack('<I4I2I2', packed, at + 12)
  count = count + 1
  digests[count] = string.sub(packed, at, at + 11)
  endpoints[count] = string.sub(packed, start, start + endpoint - 1)
  start = start + endpoint
  times[count] = string.sub(packed, start, start + time - 1)
  start = start + time
  bodies[count] = string.sub(packed, start, start + body - 1)
  at = start + body
end

local figures = redis.call('HMGET', KEYS[2], 'newest', 'oldest', 'bytes', 'history')
local newest = tonumber(figures[1] or '0')
local oldest = tonumber(figures[2] or '1')
local bytes = tonumber(figures[3] or '0')
local isEmpty = oldest > newest
local young = redis.call('HMGET', KEYS[3], unpack(digests))
local old = redis.call('HMGET', KEYS[4], unpack(digests))

local position = newest
local told = redis.call('INFO', 'replication')
local history = string.match(told, 'master_replid:(%x+)')
local replicas = select(2, string.gsub(told, 'state=online', ''))
if newest > 0 and history ~= figures[4] then position = newest + tonumber(ARGV[4]) end
local reply = { replicas, position + 1 }
local here, index = {}, {}
for i = 1, count do
  local digest = digests[i]
  local before = here[digest] or tonumber(young[i] or old[i] or '0')
  if before >= oldest then
    reply[#reply + 1] = i - 1
    reply[#reply + 1] = before
  else
    position = position + 1
    local id = string.format('%.0f', position)
    redis.call('XADD', KEYS[1], id .. '-0', 'endpoint', endpoints[i], 'receivedAt', times[i], 'body', bodies[i])
    bytes = bytes + #bodies[i]
    here[digest] = position
    index[#index + 1] = digest
    index[#index + 1] = id
  end
end
if #index == 0 then
  -- Whoever waits for a replica waits for what this connection has written: so for the entries that were there too.
  if replicas > 0 and newest > 0 then redis.call('HSET', KEYS[2], 'newest', string.format('%.0f', newest)) end
  return reply
end

redis.call('HSET', KEYS[2], 'newest', string.format('%.0f', position), 'bytes', string.format('%.0f', bytes),
  'history', history)
if isEmpty then redis.call('HSET', KEYS[2], 'oldest', string.format('%.0f', reply[2])) end
redis.call('HSET', KEYS[3], unpack(index))
-- The younger ones are as many as the log has entries, or as are promised to be known: nobody needs those before.
local full = math.min(tonumber(ARGV[2]), math.max(tonumber(ARGV[3]), redis.call('XLEN', KEYS[1])))
if redis.call('HLEN', KEYS[3]) >= full then
  -- Not by RENAME alone: that would free millions of them at once, while all wait.
  redis.call('UNLINK', KEYS[4])
  redis.call('RENAME', KEYS[3], KEYS[4])
end
return reply
