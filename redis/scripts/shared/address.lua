-- A device as it stands in the value of an address, which is of lines.
local function encodeDevice(endpoint)
  return (string.gsub(endpoint, '[%%\n]', { ['%'] = '%25', ['\n'] = '%0A' }))
end

-- The device has the address from now on, by a number that rises with each claim. Who had it is noted until it has been
-- told. The value of an address: number and device (empty: nobody) of who has it, then the same of all that are still
-- to be told that they lost it. Gives the value before and after.
local function claimAddress(addresses, claims, address, device)
  local before = redis.call('HGET', addresses, address)
  local lines = before and split(before) or {}
  if lines[2] == device then return before, before end
  local after = { exact(redis.call('INCR', claims)), device }
  for i = 1, #lines, 2 do
    local other = lines[i + 1]
    if other ~= '' and other ~= device then
      -- Who had it until now loses it to this claim.
      after[#after + 1] = i == 1 and after[1] or lines[i]
      after[#after + 1] = other
    end
  end
  local value = table.concat(after, '\n')
  redis.call('HSET', addresses, address, value)
  return before, value
end
