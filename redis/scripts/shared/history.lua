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

-- When the first reading of a member was taken, of all its records.
local function firstOf(member)
  local first = math.huge
  local at = 1
  while at <= #member do
    local length = struct.unpack('<I4', member, at)
    local body = at + 14
    local time
    if string.byte(member, body) == 1 then
      time = struct.unpack('<d', member, body + 16)
    else
      time = tonumber(string.match(member, '^%[%[([^,]+),', body + 1))
    end
    first = math.min(first, time)
    at = body + length
  end
  return first
end

-- Members of `key` that have readings of quarters, each once, and how many of the quarters these are of: no more than
-- what `most` bytes hold, but for the first. The quarters are given by their starts, in order; `span`: by how much a
-- member may end after its first reading.
local function membersOf(key, starts, span, most)
  local found, met, bytes = {}, {}, 0
  local function add(member)
    if not met[member] then
      met[member] = true
      found[#found + 1] = member
      bytes = bytes + #member
    end
  end
  for index, text in ipairs(starts) do
    local past = tonumber(text) + quarter
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, text, '(' .. exact(past))) do
      add(member)
    end
    local isLast = index == #starts or bytes > most
    -- What ends later is met in the next quarter, where that is one of them.
    if isLast or tonumber(starts[index + 1]) > past then
      for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, exact(past), '(' .. exact(past + span))) do
        if firstOf(member) < past then
          add(member)
        end
      end
    end
    if isLast then
      return found, index
    end
  end
  return found, 0
end
