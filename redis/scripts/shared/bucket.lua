-- Functions of the scripts that change devices and registrations. They touch the keys that they are given, no others.
-- A row is a text of lines. registrations: 1 id, 2 address, 3 node, 4 lifetime, 5 updated at, 6 expires at,
-- 7 queue mode (1, 0), 8 claim that took its address, 9 claim by which it has it, and more that only nodes read.
-- devices: 1 first seen, 2 last seen, 3 awake until (empty: always, or not registered), 4 state (registered, lost,
-- left, empty), 5 node, and more that only nodes read.

local function split(row)
  local lines, count, from = {}, 0, 1
  while true do
    count = count + 1
    local to = string.find(row, '\n', from, true)
    if not to then
      lines[count] = string.sub(row, from)
      return lines
    end
    lines[count] = string.sub(row, from, to - 1)
    from = to + 1
  end
end

local function exact(number) return string.format('%.17g', number) end

local function later(one, other) return tonumber(one) >= tonumber(other) and one or other end

-- The fencing number now that the node owns the device, and the one before (0: nobody did).
local function own(owners, endpoint, node)
  local before, owner = string.match(redis.call('HGET', owners, endpoint) or '', '^(%d+) (.*)$')
  local fence = tonumber(before or '0')
  if owner == node then return fence, fence end
  redis.call('HSET', owners, endpoint, exact(fence + 1) .. ' ' .. node)
  return fence + 1, fence
end

local function fenceOf(owners, endpoint)
  return tonumber(string.match(redis.call('HGET', owners, endpoint) or '0', '^%d+'))
end

-- The inventories in the nodes' memory take in what has a revision that they have not seen.
local function note(revision, changed, endpoint)
  redis.call('ZADD', changed, redis.call('INCR', revision), endpoint)
end

local function dropObservations(observed, observations, id)
  local tokens = redis.call('HGET', observed, id)
  if not tokens then return end
  redis.call('HDEL', observed, id)
  for token in string.gmatch(tokens, '%S+') do redis.call('HDEL', observations, token) end
end

-- Replaces the lines of a device that tell of its registration; its last contact is not moved back. One that is made
-- by it is the tenant's.
local function setDevice(devices, endpoint, seen, awakeUntil, state, node, tenant)
  local first, last, rest = '', '', string.rep('\n', 11) .. (tenant or '')
  local row = redis.call('HGET', devices, endpoint)
  if row then
    first, last, rest = string.match(row, '^([^\n]*)\n([^\n]*)\n[^\n]*\n[^\n]*\n[^\n]*\n(.*)$')
    -- 0: it was enrolled, and never heard.
    if seen and first == '0' then first = seen end
    if seen then last = later(last, seen) end
  else
    first, last = seen, seen
  end
  local head = first .. '\n' .. last .. '\n' .. awakeUntil .. '\n' .. state .. '\n' .. node .. '\n'
  redis.call('HSET', devices, endpoint, head .. rest)
end
