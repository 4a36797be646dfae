-- How many replicas follow this Redis now.
local function replicas()
  return select(2, string.gsub(redis.call('INFO', 'replication'), 'state=online', ''))
end
