#!lua flags=no-writes
-- A page of a job's devices, by endpoint.
-- KEYS 1: hash endpoint → device's record, 2…: sorted sets of endpoints in the states that are asked for
-- ARGV 1: where it begins, as ZRANGEBYLEX has it, 2: how many at most, 3: characters of results at most, but for a
--   single larger one
-- RETURNS 1 where there are more, else 0; then endpoint and record of each
local limit = tonumber(ARGV[2])
local endpoints = {}
for i = 2, #KEYS do
  for _, endpoint in ipairs(redis.call('ZRANGEBYLEX', KEYS[i], ARGV[1], '+', 'LIMIT', 0, limit + 1)) do
    endpoints[#endpoints + 1] = endpoint
  end
end
table.sort(endpoints)
local found = {}
local left = tonumber(ARGV[3])
for count, endpoint in ipairs(endpoints) do
  local record = redis.call('HGET', KEYS[1], endpoint)
  left = left - #record
  if count > limit or (count > 1 and left < 0) then
    return { 1, found }
  end
  found[#found + 1] = endpoint
  found[#found + 1] = record
end
return { 0, found }
