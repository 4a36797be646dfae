#!lua flags=allow-oom
-- Enters a node among the members, with a slot of its own: the lowest free one whose part of the message ids
-- (slot modulo 16) no other node at the same address has, or the lowest free one.
-- KEYS members, slots, deadlines, seen, addresses (of all nodes that there were)
-- ARGV name, incarnation, address, info, time to live (ms), '1' to take the place of one of that name that lives,
-- the slot that it wants (-1: any)
-- RETURNS { slot, time (ms) }; nil: a node of this name lives
local name, incarnation, address, info = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local deadline = tonumber(redis.call('ZSCORE', KEYS[3], name) or '0')
if deadline > now and ARGV[6] ~= '1' then return nil end
local taken, parts, own = {}, {}, nil
local slots = redis.call('HGETALL', KEYS[2])
for i = 1, #slots, 2 do
  local slot, _, at = string.match(slots[i + 1], '^(%d+) (%S+) (.*)$')
  slot = tonumber(slot)
  if slots[i] == name then
    own = { slot = slot, address = at }
  else
    taken[slot] = true
    if at == address then parts[slot % 16] = true end
  end
end
local slot
if own and own.address == address and not parts[own.slot % 16] then slot = own.slot end
local wanted = tonumber(ARGV[7])
if wanted >= 0 and not taken[wanted] then slot = wanted end
for one = 0, 255 do
  if slot == nil and not taken[one] and not parts[one % 16] then slot = one end
end
for one = 0, 255 do
  if slot == nil and not taken[one] then slot = one end
end
if slot == nil then return redis.error_reply('there are 256 nodes already') end
redis.call('HSET', KEYS[1], name, info)
redis.call('HSET', KEYS[2], name, slot .. ' ' .. incarnation .. ' ' .. address)
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[5]), name)
redis.call('HSET', KEYS[4], name, now)
redis.call('HSET', KEYS[5], name, address)
local excess = redis.call('HLEN', KEYS[5]) - 1024
if excess > 0 then
  for _, known in ipairs(redis.call('HKEYS', KEYS[5])) do
    if excess > 0 and redis.call('HEXISTS', KEYS[2], known) == 0 then
      redis.call('HDEL', KEYS[5], known)
      excess = excess - 1
    end
  end
end
return { slot, now }
