#!lua
-- Enters a bootstrap that begins; the one that is under way for this device is replaced. The oldest go.
-- KEYS 1 sessions: id -> record: a line each of state, updatedAt, and the rest (JSON)
--      2 order: ids by the time of their entry, µs, each another
--      3 devices: endpoint -> ids, oldest first, with a space before each
-- ARGV 1 id, 2 endpoint, 3 state, 4 updatedAt, 5 the rest, 6 how many of the device stay, 7 how many of the bucket
-- RETURNS id and record of the one that was replaced, as it is now; nothing where there is none
local id, endpoint = ARGV[1], ARGV[2]
local replaced = {}
local ids = {}
for each in string.gmatch(redis.call('HGET', KEYS[3], endpoint) or '', '%S+') do ids[#ids + 1] = each end
for _, each in ipairs(ids) do
  local rest = string.match(redis.call('HGET', KEYS[1], each) or '', '^running\n[^\n]*\n(.*)$')
  if rest then
    local record = 'replaced\n' .. ARGV[4] .. '\n' .. rest
    redis.call('HSET', KEYS[1], each, record)
    replaced = { each, record }
  end
end
local time = redis.call('TIME')
local newest = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2]
local at = math.max(tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(newest or '0') + 1)
redis.call('HSET', KEYS[1], id, table.concat({ ARGV[3], ARGV[4], ARGV[5] }, '\n'))
redis.call('ZADD', KEYS[2], string.format('%.0f', at), id)
ids[#ids + 1] = id
while #ids > tonumber(ARGV[6]) do
  local old = table.remove(ids, 1)
  redis.call('HDEL', KEYS[1], old)
  redis.call('ZREM', KEYS[2], old)
end
redis.call('HSET', KEYS[3], endpoint, ' ' .. table.concat(ids, ' '))
local excess = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[7])
for _, old in ipairs(excess > 0 and redis.call('ZRANGE', KEYS[2], 0, excess - 1) or {}) do
  local rest = string.match(redis.call('HGET', KEYS[1], old) or '', '^[^\n]*\n[^\n]*\n(.*)$')
  local of = rest and cjson.decode(rest).endpoint
  if of then
    local left = string.gsub(redis.call('HGET', KEYS[3], of) or '', ' (%S+)', function(each)
      return each == old and '' or nil
    end)
    if left == '' then redis.call('HDEL', KEYS[3], of) else redis.call('HSET', KEYS[3], of, left) end
  end
  redis.call('HDEL', KEYS[1], old)
  redis.call('ZREM', KEYS[2], old)
end
return replaced
