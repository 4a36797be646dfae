#!lua
-- Ends a registration by the wish of its device.
-- KEYS registrations, ids, expiries, owners, devices, revision, changed, observations, observed (of the bucket)
-- ARGV 1 id, 2 speaker
-- RETURNS { endpoint, row, fence }; nil: there is none of this speaker
local keys = {
  registrations = KEYS[1], ids = KEYS[2], expiries = KEYS[3], devices = KEYS[5],
  revision = KEYS[6], changed = KEYS[7], observations = KEYS[8], observed = KEYS[9],
}
local endpoint = redis.call('HGET', keys.ids, ARGV[1])
if not endpoint then return nil end
local row = redis.call('HGET', keys.registrations, endpoint)
if not isSpeakersOwn(endpoint, split(row), ARGV[2]) then return nil end
endRegistration(keys, endpoint, ARGV[1], 'left')
return { endpoint, row, fenceOf(KEYS[4], endpoint) }
