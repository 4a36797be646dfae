#!lua
-- Counts an attempt to log in, where none of who tries is in a pause.
-- KEYS 1: hash key → failures, a space, and the time till which nothing is tried, 2: sorted set of keys by their last attempt
-- ARGV 1: at, 2: how long an attempt is remembered, ms, 3: keys that are forgotten at the most, 4: keys that are kept at the
--   most; then of each key: key, failures that are free, first pause, longest pause
-- RETURNS ms to wait; 0 where it was counted
local at, gone = tonumber(ARGV[1]), tonumber(ARGV[1]) - tonumber(ARGV[2])
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', gone, 'LIMIT', 0, ARGV[3])
if #old > 0 then
  redis.call('HDEL', KEYS[1], unpack(old))
  redis.call('ZREM', KEYS[2], unpack(old))
end
local wait, failures = 0, {}
for i = 5, #ARGV, 4 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  local count, untilTime = string.match(known or '0 0', '^(%d+) (%d+)$')
  if known and tonumber(redis.call('ZSCORE', KEYS[2], ARGV[i]) or '-inf') <= gone then
    count, untilTime = '0', '0'
  end
  failures[i] = tonumber(count) + 1
  wait = math.max(wait, tonumber(untilTime) - at)
end
if wait > 0 then return wait end
for i = 5, #ARGV, 4 do
  local free, first, longest = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local pause = 0
  if failures[i] > free then
    pause = math.min(longest, first * 2 ^ math.min(failures[i] - free - 1, 40))
  end
  redis.call('HSET', KEYS[1], ARGV[i], string.format('%d %.0f', failures[i], at + pause))
  redis.call('ZADD', KEYS[2], ARGV[1], ARGV[i])
end
local beyond = redis.call('ZRANGE', KEYS[2], 0, -1 - tonumber(ARGV[4]))
for _, key in ipairs(beyond) do
  redis.call('HDEL', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
end
return 0
