#!lua
-- The node owns a device from now on: it was heard there at an address, or it is claimed where it is.
-- KEYS registrations, ids, owners, devices, revision, changed (of the bucket); on a single Redis also addresses, claims
--   (of the address's slot): the address is claimed too
-- ARGV 1 id, 2 node, 3 address (empty: as it is), 4 node that must own it now (empty: any)
-- RETURNS { endpoint, row before, its fence, fence, value of the address before or nil, value after or nil }; nil:
--   there is none, or it is another one's
local registrations, ids, owners, devices, revision, changed, addresses, claims = unpack(KEYS)
local id, node, address, from = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local endpoint = redis.call('HGET', ids, id)
if not endpoint then return nil end
local before = redis.call('HGET', registrations, endpoint)
local lines = split(before)
if from ~= '' and lines[3] ~= from then return nil end
local isNew = lines[3] ~= node
lines[3] = node
if address ~= '' then
  lines[8] = ''
  if lines[2] ~= address then
    lines[2], lines[9] = address, ''
  end
end
local after = table.concat(lines, '\n')
if after ~= before then redis.call('HSET', registrations, endpoint, after) end
local fence, fenceBefore = own(owners, endpoint, node)
if isNew then
  local device = split(redis.call('HGET', devices, endpoint))
  device[5] = node
  redis.call('HSET', devices, endpoint, table.concat(device, '\n'))
  note(revision, changed, endpoint)
end
local addressBefore, addressAfter = false, false
if addresses then
  addressBefore, addressAfter = claimAddress(addresses, claims, address, encodeDevice(endpoint))
end
return { endpoint, before, fenceBefore, fence, addressBefore, addressAfter }
