-- Ends a registration, with its observations; `state` says how: lost or left.
local function endRegistration(keys, endpoint, id, state)
  redis.call('HDEL', keys.registrations, endpoint)
  redis.call('HDEL', keys.ids, id)
  redis.call('ZREM', keys.expiries, endpoint)
  dropObservations(keys.observed, keys.observations, id)
  setDevice(keys.devices, endpoint, nil, '', state, '')
  note(keys.revision, keys.changed, endpoint)
end
