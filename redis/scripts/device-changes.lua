#!lua flags=no-writes
-- What has changed among the devices of a bucket since a revision.
-- KEYS devices, revision, changed, removed (of the bucket)
-- ARGV 1 revision, 2 how many changes at most, 3 how many removals are kept
-- RETURNS { revision that is reached, 1 where there is more, removed endpoints, changed endpoints each with its row };
--   nil: the revision is not known any more, and all must be read anew
local level, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = tonumber(redis.call('GET', KEYS[2]) or '0')
if now < level then return nil end
local removals = redis.call('ZCARD', KEYS[4])
if removals >= tonumber(ARGV[3]) then
  local oldest = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  if tonumber(oldest[2]) > level + 1 then return nil end
end
local found = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
local more = #found == limit * 2
local reached = more and found[#found] or exact(now)
local changed = {}
for i = 1, #found, 2 do
  changed[i] = found[i]
  changed[i + 1] = redis.call('HGET', KEYS[1], found[i])
end
local removed = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[1], reached)
return { reached, more and 1 or 0, removed, changed }
