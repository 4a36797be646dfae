#!lua flags=allow-oom
-- A step of removing what a series has of before; a series that has nothing left goes.
-- KEYS 1: hash endpoint → JSON object path → id, 2: hash id → state, 3: sorted set id → when the earliest quarter begins
--   that is due, 4: hash of bytes by hour, 5: the series' readings, 6: its roll-ups, 7: its quarters that are due
-- ARGV 1: id, 2: readings taken before go, 3: quarters that begin before go, 4: members that one step removes, 5: by how
--   much a member may end after its first reading
-- RETURNS 0 when it is done, 1 where there is more, 2 where quarters are due that must be rolled up before
local id, before, rollUpsBefore, budget = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local bytes = redis.call('HGET', KEYS[2], id)
if not bytes then
  return 0
end
local state = decodeState(bytes)
local function finish(result)
  state.version = state.version + 1
  redis.call('HSET', KEYS[2], id, encodeState(state))
  writeSizes(KEYS[4])
  return result
end
-- True where there is more.
local function drop(key, kind, time)
  local rows = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. exact(time), 'WITHSCORES', 'LIMIT', 0, budget)
  for i = 1, #rows, 2 do
    resize(kind, tonumber(rows[i + 1]), -#rows[i] - overhead)
  end
  if #rows > 0 then
    redis.call('ZREMRANGEBYRANK', key, 0, #rows / 2 - 1)
  end
  return #rows == 2 * budget
end
if state.oldest < before then
  if #redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', '(' .. exact(before), 'LIMIT', 0, 1) > 0 then
    return 2
  end
  -- Sealed: quarters that cannot be made of their readings again. No further than they reach: a time far in the future,
  -- of a clock that was wrong, must not seal what is to come.
  local newest = redis.call('ZREVRANGE', KEYS[6], 0, 0, 'WITHSCORES')[2]
  local past = newest and math.min(math.ceil(before / quarter) * quarter, tonumber(newest) + quarter)
  if past and past > state.sealed then
    for _, rollUp in ipairs(redis.call('ZRANGEBYSCORE', KEYS[6], exact(state.sealed), '(' .. exact(past))) do
      if #rollUp > summary then
        local start = struct.unpack('<d', rollUp)
        redis.call('ZREM', KEYS[6], rollUp)
        redis.call('ZADD', KEYS[6], exact(start), string.sub(rollUp, 1, summary))
        resize('u', start, summary - #rollUp)
      end
    end
    state.sealed = past
  end
  if drop(KEYS[5], 'r', before) then
    return finish(1)
  end
  local lowest = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')[2]
  if not lowest then
    state.oldest, state.hiddenBefore, state.hiddenPosition = math.huge, -math.huge, -1
  else
    -- What a member has of before is there still, and hidden.
    if before >= state.hiddenBefore then
      state.hiddenBefore, state.hiddenPosition = before, state.position
    end
    state.oldest = math.huge
    local past = exact(tonumber(lowest) + tonumber(ARGV[5]))
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], lowest, past)) do
      state.oldest = math.min(state.oldest, firstOf(member))
    end
    state.oldest = math.max(state.oldest, before)
  end
end
if state.oldestRollUp < rollUpsBefore then
  if drop(KEYS[6], 'u', rollUpsBefore) then
    return finish(1)
  end
  state.oldestRollUp = tonumber(redis.call('ZRANGE', KEYS[6], 0, 0, 'WITHSCORES')[2]) or math.huge
end
finish(0)
if redis.call('ZCARD', KEYS[5]) + redis.call('ZCARD', KEYS[6]) + redis.call('ZCARD', KEYS[7]) == 0 then
  local path, endpoint = string.match(state.name, '^(%S+) (.*)$')
  local series = cjson.decode(redis.call('HGET', KEYS[1], endpoint))
  series[path] = nil
  if next(series) == nil then
    redis.call('HDEL', KEYS[1], endpoint)
  else
    redis.call('HSET', KEYS[1], endpoint, cjson.encode(series))
  end
  redis.call('HDEL', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
end
return 0
