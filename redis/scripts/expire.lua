#!lua
-- Ends those of some registrations whose time is over by now: whoever ends one is the only one that is told.
-- KEYS registrations, ids, expiries, owners, devices, revision, changed, observations, observed (of the bucket)
-- ARGV 1 now (ms), then endpoints
-- RETURNS endpoint, row and fence of each that has ended
local keys = {
  registrations = KEYS[1], ids = KEYS[2], expiries = KEYS[3], devices = KEYS[5],
  revision = KEYS[6], changed = KEYS[7], observations = KEYS[8], observed = KEYS[9],
}
local now, ended = tonumber(ARGV[1]), {}
for i = 2, #ARGV do
  local endpoint = ARGV[i]
  local expiresAt = redis.call('ZSCORE', keys.expiries, endpoint)
  if expiresAt and tonumber(expiresAt) <= now then
    local row = redis.call('HGET', keys.registrations, endpoint)
    endRegistration(keys, endpoint, string.match(row, '^[^\n]*'), 'lost')
    ended[#ended + 1] = endpoint
    ended[#ended + 1] = row
    ended[#ended + 1] = fenceOf(KEYS[4], endpoint)
  end
end
return ended
