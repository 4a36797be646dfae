#!lua
-- A device is not at an address any more, unless it has come back meanwhile.
-- KEYS addresses (of the address's slot); on a single Redis also registrations (of the device's bucket)
-- ARGV 1 address, 2 endpoint
-- RETURNS 1 where it had the address and has left it, else 0
local value = redis.call('HGET', KEYS[1], ARGV[1])
local lines = value and split(value) or {}
if lines[2] ~= encodeDevice(ARGV[2]) then return 0 end
local row = KEYS[2] and redis.call('HGET', KEYS[2], ARGV[2])
if row and split(row)[2] == ARGV[1] then return 0 end
lines[2] = ''
if #lines == 2 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], table.concat(lines, '\n'))
end
return 1
