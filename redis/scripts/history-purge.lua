#!lua flags=allow-oom
-- A step of removing what a series of a removed device has left.
-- KEYS 1: list of ids of such series, 2: sorted set id → when the earliest quarter begins that is due, 3: hash of quarters
--   that are being rolled up, 4: hash of bytes by hour, 5: the series' readings, 6: its roll-ups, 7: its quarters that
--   are due
-- ARGV 1: id, 2: members that one step removes
-- RETURNS 1 where there is more, else 0
local budget = tonumber(ARGV[2])
local more = 0
for kind, key in pairs({ r = KEYS[5], u = KEYS[6] }) do
  local rows = redis.call('ZRANGE', key, 0, budget - 1, 'WITHSCORES')
  for i = 1, #rows, 2 do
    resize(kind, tonumber(rows[i + 1]), -#rows[i] - overhead)
  end
  redis.call('ZREMRANGEBYRANK', key, 0, budget - 1)
  if #rows == 2 * budget then
    more = 1
  end
end
writeSizes(KEYS[4])
if more == 0 then
  for _, start in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do
    redis.call('HDEL', KEYS[3], ARGV[1] .. ' ' .. start)
  end
  redis.call('UNLINK', KEYS[7])
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('LREM', KEYS[1], 1, ARGV[1])
end
return more
