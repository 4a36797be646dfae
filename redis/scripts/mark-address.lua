#!lua
-- A device is told by which claim it lost its address, or has it. The later claim holds, whichever is told first.
-- KEYS registrations (of the bucket)
-- ARGV 1 endpoint, 2 address, 3 number of the claim, 4 'lost' or 'held'
-- RETURNS { id, node }; nil: it is not registered, or not at that address
local row = redis.call('HGET', KEYS[1], ARGV[1])
local lines = row and split(row)
if not lines or lines[2] ~= ARGV[2] then return nil end
local line = ARGV[4] == 'lost' and 8 or 9
lines[line] = lines[line] == '' and ARGV[3] or later(lines[line], ARGV[3])
if lines[8] ~= '' and lines[9] ~= '' and tonumber(lines[9]) >= tonumber(lines[8]) then lines[8] = '' end
redis.call('HSET', KEYS[1], ARGV[1], table.concat(lines, '\n'))
return { lines[1], lines[3] }
