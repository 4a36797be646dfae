#!lua
-- A device was heard at an address.
-- KEYS addresses, claims (of the address's slot)
-- ARGV 1 address, 2 endpoint
-- RETURNS { value of the address before or nil, value after }
local before, after = claimAddress(KEYS[1], KEYS[2], ARGV[1], encodeDevice(ARGV[2]))
return { before, after }
