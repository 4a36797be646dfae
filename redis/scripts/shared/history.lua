-- Functions of the scripts that change history.
-- The state of a series (SeriesState of redis/history-records.ts): nine float64, little-endian, then path, space and
-- endpoint. All times: µs since the epoch.

local quarter, hour = 900000000, 3600000000
-- Bytes that a member of a sorted set takes beside its own.
local overhead = 90
-- Bytes of a roll-up without its minutes.
local summary = 52

local function exact(number) return string.format('%.17g', number) end

local function decodeState(bytes)
  local s = { name = string.sub(bytes, 73) }
  s.position, s.sealed, s.oldest, s.oldestRollUp, s.hiddenBefore, s.hiddenPosition, s.version, s.dueFrom, s.dueTo =
    struct.unpack('<ddddddddd', bytes)
  return s
end

local function encodeState(s)
  return struct.pack('<ddddddddd', s.position, s.sealed, s.oldest, s.oldestRollUp, s.hiddenBefore, s.hiddenPosition,
    s.version, s.dueFrom, s.dueTo) .. s.name
end

-- Bytes by hour, which are written once: `r` of readings, `u` of roll-ups.
local sizes = {}

local function resize(kind, time, bytes)
  local field = kind .. string.format('%d', math.floor(time / hour))
  sizes[field] = (sizes[field] or 0) + bytes
end

local function writeSizes(key)
  for field, bytes in pairs(sizes) do
    if bytes ~= 0 and redis.call('HINCRBY', key, field, string.format('%d', bytes)) == 0 then
      redis.call('HDEL', key, field)
    end
  end
end
