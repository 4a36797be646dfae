#!lua
-- Takes a key for a request, where no other has it.
-- KEYS 1 keys: key -> a line each of fingerprint (JSON), time since which it is taken, holder (JSON), and, where it was
--        answered, status, headers (JSON) and body (JSON, or empty)
--      2 the keys by that time
-- ARGV 1 key, 2 fingerprint, 3 holder, 4 at, 5 how long a key is kept, ms, 6 old keys that go at the most, 7 keys that
--      are kept at the most
-- RETURNS 'begun'; 'full'; or what is known of the key
local key, at, gone = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[4]) - tonumber(ARGV[5])
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', gone, 'LIMIT', 0, ARGV[6])
if #old > 0 then
  redis.call('HDEL', KEYS[1], unpack(old))
  redis.call('ZREM', KEYS[2], unpack(old))
end
local since = tonumber(redis.call('ZSCORE', KEYS[2], key) or '-inf')
if since > gone then return redis.call('HGET', KEYS[1], key) end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[7]) then return 'full' end
redis.call('HSET', KEYS[1], key, table.concat({ ARGV[2], ARGV[4], ARGV[3] }, '\n'))
redis.call('ZADD', KEYS[2], ARGV[4], key)
return 'begun'
