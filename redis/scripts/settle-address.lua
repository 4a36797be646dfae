#!lua
-- Some have been told that they lost an address.
-- KEYS addresses (of the address's slot)
-- ARGV 1 address, then number and device of each
-- RETURNS number and device of who has the address now; nil: nobody
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value then return nil end
local lines, told = split(value), {}
for i = 2, #ARGV, 2 do told[ARGV[i] .. '\n' .. ARGV[i + 1]] = true end
local left = { lines[1], lines[2] }
for i = 3, #lines, 2 do
  if not told[lines[i] .. '\n' .. lines[i + 1]] then
    left[#left + 1] = lines[i]
    left[#left + 1] = lines[i + 1]
  end
end
if #left == 2 and left[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return nil
end
if #left ~= #lines then redis.call('HSET', KEYS[1], ARGV[1], table.concat(left, '\n')) end
return left[2] ~= '' and { left[1], left[2] } or nil
