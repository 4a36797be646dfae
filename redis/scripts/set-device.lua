#!lua
-- Sets lines of a device.
-- KEYS devices, revision, changed (of the bucket)
-- ARGV 1 endpoint, then number and value of each line
-- RETURNS 1; 0: the device is not known
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row then return 0 end
local lines = split(row)
for i = 2, #ARGV, 2 do lines[tonumber(ARGV[i])] = ARGV[i + 1] end
redis.call('HSET', KEYS[1], ARGV[1], table.concat(lines, '\n'))
note(KEYS[2], KEYS[3], ARGV[1])
return 1
