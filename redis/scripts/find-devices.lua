#!lua flags=no-writes
-- Devices with their registrations and owners.
-- KEYS devices, registrations, owners (of the bucket)
-- ARGV endpoints
-- RETURNS for each: row of the device (nil: not known), row of the registration (nil: none), fence
local found = {}
for i, endpoint in ipairs(ARGV) do
  found[i] = {
    redis.call('HGET', KEYS[1], endpoint),
    redis.call('HGET', KEYS[2], endpoint),
    fenceOf(KEYS[3], endpoint),
  }
end
return found
