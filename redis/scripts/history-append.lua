#!lua
-- Appends readings to series of one bucket, each position once.
-- KEYS 1: hash id → state, 2: sorted set id → when the earliest quarter begins that is due, 3: hash of quarters that are
--   being rolled up, 4: hash of bytes by hour, then of each series: 5 readings, 6 roll-ups, 7 quarters that are due
-- ARGV of each series: id, path, space and endpoint, before which time the caller takes it to be sealed, number of records; of each record:
--   position, first and last time, the record, number of roll-ups that it adds to; of each of these: the roll-up
-- RETURNS of each series: 1; or its state, where it is not sealed as the caller thought, and empty where the id is of no
--   series, or of another one, as after a Redis came back with less than it had: then nothing was appended to it

-- What came late for a quarter whose readings may be gone is added to its roll-up.
local function add(key, late)
  local start, count, min, max, mean, last, at = struct.unpack('<dI4ddddd', late)
  local before = redis.call('ZRANGEBYSCORE', key, exact(start), exact(start))[1]
  if before then
    local _, count0, min0, max0, mean0, last0, at0 = struct.unpack('<dI4ddddd', before)
    local all = count0 + count
    local way = mean - mean0
    if way == way and way ~= math.huge and way ~= -math.huge then
      mean = mean0 + way * (count / all)
    else
      mean = mean0 * (1 - count / all) + mean * (count / all)
    end
    if at < at0 then
      last, at = last0, at0
    end
    late = struct.pack('<dI4ddddd', start, all, math.min(min, min0), math.max(max, max0), mean, last, at)
    redis.call('ZREM', key, before)
    resize('u', start, -#before - overhead)
  end
  redis.call('ZADD', key, exact(start), late)
  resize('u', start, #late + overhead)
  return start
end

local results = {}
local arg = 1
for key = 5, #KEYS, 3 do
  local readings, rollUps, dues = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local id, name, expected, records = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2], tonumber(ARGV[arg + 3])
  arg = arg + 4
  local bytes = redis.call('HGET', KEYS[1], id)
  local state = bytes and decodeState(bytes)
  local isSame = state and state.name == name
  local fits = isSame and state.sealed == tonumber(expected)
  local position = fits and state.position
  local earliest = math.huge
  for _ = 1, records do
    local at, first, last = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
    local record, late = ARGV[arg + 3], tonumber(ARGV[arg + 4])
    arg = arg + 5
    if fits and at > position then
      state.position = math.max(state.position, at)
      if redis.call('ZADD', readings, exact(last), record) == 1 then
        resize('r', last, #record + overhead)
      end
      state.oldest = math.min(state.oldest, first)
      for i = arg, arg + late - 1 do
        state.oldestRollUp = math.min(state.oldestRollUp, add(rollUps, ARGV[i]))
      end
      local from = math.max(first, state.sealed)
      -- Most readings are of the quarter of the one before, which is due since.
      if last >= from and (from < state.dueFrom or last >= state.dueTo) then
        state.dueFrom = math.floor(from / quarter) * quarter
        earliest = math.min(earliest, state.dueFrom)
        for start = state.dueFrom, last, quarter do
          if redis.call('ZADD', dues, exact(start), exact(start)) == 0 then
            -- Whoever is rolling it up has not seen this.
            redis.call('HDEL', KEYS[3], id .. ' ' .. exact(start))
          end
          state.dueTo = start + quarter
        end
      end
    end
    arg = arg + late
  end
  if fits then
    if earliest < math.huge then
      redis.call('ZADD', KEYS[2], 'LT', exact(earliest), id)
    end
    if state.position > position then
      redis.call('HSET', KEYS[1], id, encodeState(state))
    end
    results[#results + 1] = 1
  else
    results[#results + 1] = isSame and bytes or ''
  end
end
writeSizes(KEYS[4])
return results
