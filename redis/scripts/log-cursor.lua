#!lua flags=no-writes
-- Where a consumer of the telemetry log stands: the place of the consumer group of its name.
-- KEYS 1 stream of the entries
-- ARGV 1 name of the consumer
-- RETURNS its position, 0 where it was never seen
if redis.call('EXISTS', KEYS[1]) == 0 then return '0' end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local is = {}
  for i = 1, #group, 2 do is[group[i]] = group[i + 1] end
  if is['name'] == ARGV[1] then return string.match(is['last-delivered-id'], '^%d+') end
end
return '0'
