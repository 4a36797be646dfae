#!lua
-- KEYS observations, observed (of the bucket)
-- ARGV 1 token
-- RETURNS 1 where there was one, else 0
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
local id = string.match(value, '^[^\n]*')
local left = {}
for token in string.gmatch(redis.call('HGET', KEYS[2], id) or '', '%S+') do
  if token ~= ARGV[1] then left[#left + 1] = token end
end
if #left == 0 then
  redis.call('HDEL', KEYS[2], id)
else
  redis.call('HSET', KEYS[2], id, table.concat(left, ' '))
end
return 1
