#!lua
-- Updates a registration, and sets its expiry anew with the grace that it had. The node owns the device from now on.
-- KEYS registrations, ids, expiries, owners, devices, revision, changed (of the bucket); on a single Redis also
--   addresses, claims (of the address's slot): the address is claimed too
-- ARGV 1 id, 2 how long a device in queue mode listens (ms), 3 speaker, then number and value of each line that changes
-- RETURNS { endpoint, row before, its fence, fence, expires at, value of the address before or nil, value after or
--   nil }; nil: there is none of this speaker
local registrations, ids, expiries, owners, devices, revision, changed, addresses, claims = unpack(KEYS)
local endpoint = redis.call('HGET', ids, ARGV[1])
if not endpoint then return nil end
local before = redis.call('HGET', registrations, endpoint)
local lines = split(before)
if not isSpeakersOwn(endpoint, lines, ARGV[3]) then return nil end
local grace = lines[6] - lines[5] - lines[4] * 1000
local address = lines[2]
for i = 4, #ARGV, 2 do lines[tonumber(ARGV[i])] = ARGV[i + 1] end
-- It has spoken: the address is taken to be its own, and nothing is known yet of one that is new.
lines[8] = ''
if lines[2] ~= address then lines[9] = '' end
local updatedAt, node = lines[5], lines[3]
local expiresAt = exact(updatedAt + lines[4] * 1000 + grace)
lines[6] = expiresAt
redis.call('HSET', registrations, endpoint, table.concat(lines, '\n'))
redis.call('ZADD', expiries, expiresAt, endpoint)
local fence, fenceBefore = own(owners, endpoint, node)
local awakeUntil = lines[7] == '1' and exact(updatedAt + ARGV[2]) or ''
setDevice(devices, endpoint, updatedAt, awakeUntil, 'registered', node)
note(revision, changed, endpoint)
local addressBefore, addressAfter = false, false
if addresses then
  addressBefore, addressAfter = claimAddress(addresses, claims, lines[2], encodeDevice(endpoint))
end
return { endpoint, before, fenceBefore, fence, expiresAt, addressBefore, addressAfter }
