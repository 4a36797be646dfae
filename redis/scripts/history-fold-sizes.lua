#!lua flags=allow-oom
-- Bytes of hours that are long gone are counted by the day.
-- KEYS 1: hash of bytes by hour and day
-- ARGV: of each: field of the hour, field of the day
-- RETURNS 0
for i = 1, #ARGV, 2 do
  local bytes = redis.call('HGET', KEYS[1], ARGV[i])
  if bytes then
    redis.call('HDEL', KEYS[1], ARGV[i])
    if redis.call('HINCRBY', KEYS[1], ARGV[i + 1], bytes) == 0 then
      redis.call('HDEL', KEYS[1], ARGV[i + 1])
    end
  end
end
return 0
