#!lua
-- Makes entries of devices that were never seen; of those that are known it sets the lines that are empty.
-- KEYS devices, revision, changed (of the bucket)
-- ARGV of each device: endpoint, tenant of an entry that is made (empty: none), how many lines follow, then number and value of each
-- RETURNS nothing
local i = 1
while i <= #ARGV do
  local endpoint, tenant, count = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local row = redis.call('HGET', KEYS[1], endpoint)
  local lines = split(row or '0\n0' .. string.rep('\n', 15) .. tenant)
  local isChanged = not row
  for at = i + 3, i + 2 + 2 * count, 2 do
    local number = tonumber(ARGV[at])
    if lines[number] == '' then
      lines[number] = ARGV[at + 1]
      isChanged = true
    end
  end
  if isChanged then
    redis.call('HSET', KEYS[1], endpoint, table.concat(lines, '\n'))
    note(KEYS[2], KEYS[3], endpoint)
  end
  i = i + 3 + 2 * count
end
