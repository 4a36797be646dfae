#!lua
-- A device is not at an address any more.
-- KEYS addresses (of the address's slot)
-- ARGV 1 address, 2 device
-- RETURNS 1 where it had it, else 0
local value = redis.call('HGET', KEYS[1], ARGV[1])
local lines = value and split(value) or {}
if lines[2] ~= ARGV[2] then return 0 end
lines[2] = ''
if #lines == 2 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], table.concat(lines, '\n'))
end
return 1
