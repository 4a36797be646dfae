#!lua
-- A request was answered, or nothing was done and its key is free. Nothing, where another process has the key by now.
-- KEYS 1 keys, 2 keys by time: see key-begin
-- ARGV 1 key, 2 holder; then, where it was answered, 3 status, 4 headers (JSON) and 5 body (JSON, or empty)
-- RETURNS nothing
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before then return end
local fingerprint, since, holder, rest = string.match(before, '^([^\n]*)\n([^\n]*)\n([^\n]*)(.*)$')
if holder ~= ARGV[2] then return end
if ARGV[3] then
  redis.call('HSET', KEYS[1], ARGV[1],
    table.concat({ fingerprint, since, holder, ARGV[3], ARGV[4], ARGV[5] }, '\n'))
elseif rest == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
