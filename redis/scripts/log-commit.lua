#!lua flags=allow-oom
-- Moves a consumer of the telemetry log, never back: the place of the consumer group of its name.
-- KEYS 1 stream of the entries
-- ARGV 1 name of the consumer, 2 its position
-- RETURNS nothing
local at
if redis.call('EXISTS', KEYS[1]) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local is = {}
    for i = 1, #group, 2 do is[group[i]] = group[i + 1] end
    if is['name'] == ARGV[1] then at = tonumber(string.match(is['last-delivered-id'], '^%d+')) end
  end
end
if at == nil then redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM') end
if tonumber(ARGV[2]) <= (at or 0) then return end

-- How many of the entries there ever were it has read: by that Redis tells its lag.
local behind = 0
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if newest then
  behind = math.max(0, tonumber(string.match(newest[1], '^%d+')) - tonumber(ARGV[2]))
end
local stream = {}
local told = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #told, 2 do stream[told[i]] = told[i + 1] end
local read = math.max(0, stream['entries-added'] - behind)
redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], ARGV[2] .. '-0', 'ENTRIESREAD', read)
