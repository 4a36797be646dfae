#!lua
-- Registers a device; its older registration goes, with its observations. The node owns it from now on. Where that
-- registration was made by the same message, from the same address and not long ago, nothing happens.
-- KEYS registrations, ids, expiries, owners, devices, revision, changed, observations, observed (of the bucket); on a
--   single Redis also addresses, claims (of the address's slot): the address is claimed too
-- ARGV 1 endpoint, 2 id, 3 address, 4 node, 5 updated at, 6 expires at, 7 awake until (empty: always), 8 row,
--   9 tenant of a device that is made by this (empty: none), 10 the message (empty: unknown), 11 how long it is the
--   same message, ms
-- RETURNS { fence, row that was replaced or nil, its fence, value of the address before or nil, value after or nil,
--   1 where the row is of the same message and stays }
local registrations, ids, expiries, owners, devices, revision, changed, observations, observed, addresses, claims =
  unpack(KEYS)
local endpoint, id, node = ARGV[1], ARGV[2], ARGV[4]
local before = redis.call('HGET', registrations, endpoint)
if before and ARGV[10] ~= '' then
  local lines = split(before)
  -- 2 address, 10 registered at, 20 message
  if lines[20] == ARGV[10] and lines[2] == ARGV[3] and ARGV[5] - lines[10] < tonumber(ARGV[11]) then
    local fence = fenceOf(owners, endpoint)
    return { fence, before, fence, false, false, 1 }
  end
end
if before then
  local former = string.match(before, '^[^\n]*')
  dropObservations(observed, observations, former)
  if former ~= id then redis.call('HDEL', ids, former) end
end
redis.call('HSET', registrations, endpoint, ARGV[8])
redis.call('HSET', ids, id, endpoint)
redis.call('ZADD', expiries, ARGV[6], endpoint)
local fence, fenceBefore = own(owners, endpoint, node)
setDevice(devices, endpoint, ARGV[5], ARGV[7], 'registered', node, ARGV[9])
note(revision, changed, endpoint)
local addressBefore, addressAfter = false, false
if addresses then
  addressBefore, addressAfter = claimAddress(addresses, claims, ARGV[3], encodeDevice(endpoint))
end
return { fence, before, fenceBefore, addressBefore, addressAfter }
