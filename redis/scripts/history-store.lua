#!lua flags=allow-oom
-- Stores roll-ups of quarters, but of those that got readings since they were taken: these stay due. What a quarter has
-- of readings is put together into few members, for each costs memory.
-- KEYS 1: hash id → state, 2: sorted set id → when the earliest quarter begins that is due, 3: hash of quarters that are
--   being rolled up, 4: hash of bytes by hour, 5: the series' readings, 6: its roll-ups, 7: its quarters that are due
-- ARGV 1: id, 2: round, 3: bytes of a member at most; then of each quarter its start, and the roll-up, empty for none
-- RETURNS how many were stored
local id, most = ARGV[1], tonumber(ARGV[3])
local bytes = redis.call('HGET', KEYS[1], id)
if not bytes then
  return 0
end
local state = decodeState(bytes)

-- From one to another of the rows: members and times, one after the other.
local function join(rows, from, to)
  if to - from < 2 then
    return 0
  end
  local members = {}
  for i = from, to, 2 do
    members[#members + 1] = rows[i]
    redis.call('ZREM', KEYS[5], rows[i])
  end
  redis.call('ZADD', KEYS[5], rows[to + 1], table.concat(members))
  return #members - 1
end

local stored = 0
for i = 4, #ARGV, 2 do
  local start, rollUp = ARGV[i], ARGV[i + 1]
  local at = tonumber(start)
  if redis.call('HGET', KEYS[3], id .. ' ' .. start) == ARGV[2] then
    stored = stored + 1
    redis.call('HDEL', KEYS[3], id .. ' ' .. start)
    redis.call('ZREM', KEYS[7], start)
    local before = redis.call('ZRANGEBYSCORE', KEYS[6], start, start)[1]
    if before then
      redis.call('ZREM', KEYS[6], before)
      resize('u', at, -#before - overhead)
    end
    if rollUp ~= '' then
      redis.call('ZADD', KEYS[6], start, rollUp)
      resize('u', at, #rollUp + overhead)
      state.oldestRollUp = math.min(state.oldestRollUp, at)
    end
    local rows = redis.call('ZRANGEBYSCORE', KEYS[5], start, '(' .. exact(at + quarter), 'WITHSCORES')
    local saved, from, size = 0, 1, 0
    for row = 1, #rows, 2 do
      if size > 0 and size + #rows[row] > most then
        saved = saved + join(rows, from, row - 2)
        from, size = row, 0
      end
      size = size + #rows[row]
    end
    if #rows > 0 then
      saved = saved + join(rows, from, #rows - 1)
    end
    resize('r', at, -saved * overhead)
    if saved > 0 then
      state.version = state.version + 1
    end
  end
end
local due = redis.call('ZRANGE', KEYS[7], 0, 0)[1]
if due then
  redis.call('ZADD', KEYS[2], due, id)
else
  redis.call('ZREM', KEYS[2], id)
end
redis.call('HSET', KEYS[1], id, encodeState(state))
writeSizes(KEYS[4])
return stored
