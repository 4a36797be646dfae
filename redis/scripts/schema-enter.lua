#!lua flags=allow-oom
-- A process says that it uses the database, at the start and from time to time, and learns whether it may.
-- KEYS 1 schema: version, buckets, identity (random, made with the database); 2 processes: version and name, by the time until which it counts as running
-- ARGV 1 version of the process, 2 its name, 3 how long it counts as running, ms, 4 number of buckets,
--      5 identity of a database that is made now, 6 identity of the one that the process knows, or nothing
-- RETURNS 'ready'; 'older': the database, which is to be brought to the process's version; 'newer', and 'buckets': it
--         may not use it; 'replaced': it is not the one that the process knows; 'others': a process runs that cannot share the database with it; and, where it is another
--         one than the process's, the version or number of buckets that there is; then the identity
local version = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local found = redis.call('HMGET', KEYS[1], 'version', 'buckets')
if not found[1] then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'buckets', ARGV[4])
  found = { ARGV[1], ARGV[4] }
end
redis.call('HSETNX', KEYS[1], 'identity', ARGV[5])
local identity = redis.call('HGET', KEYS[1], 'identity')
if ARGV[6] ~= '' and ARGV[6] ~= identity then return { 'replaced', identity } end
if found[2] ~= ARGV[4] then return { 'buckets', found[2] } end
if tonumber(found[1]) > version + 1 then return { 'newer', found[1] } end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. now)
local me = ARGV[1] .. ' ' .. ARGV[2]
for _, process in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local other = tonumber(string.match(process, '^%d+'))
  if process ~= me and math.abs(other - version) > 1 then return { 'others', tostring(other) } end
end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), me)
if tonumber(found[1]) < version then return { 'older', found[1], identity } end
return { 'ready', found[1], identity }
