#!lua
-- A device was heard at an address: it is its own from now on, by a number that rises with each claim. Who had it is
-- noted until it has been told. The value of an address: lines, number and device (empty: nobody) of who has it, then
-- the same of all that are still to be told that they lost it.
-- KEYS addresses, claims (of the address's slot)
-- ARGV 1 address, 2 device
-- RETURNS { value before or nil, value after }
local before = redis.call('HGET', KEYS[1], ARGV[1])
local lines = before and split(before) or {}
if lines[2] == ARGV[2] then return { before, before } end
local after = { exact(redis.call('INCR', KEYS[2])), ARGV[2] }
for i = 1, #lines, 2 do
  local device = lines[i + 1]
  if device ~= '' and device ~= ARGV[2] then
    -- Who had it until now loses it to this claim.
    after[#after + 1] = i == 1 and after[1] or lines[i]
    after[#after + 1] = device
  end
end
local value = table.concat(after, '\n')
redis.call('HSET', KEYS[1], ARGV[1], value)
return { before, value }
