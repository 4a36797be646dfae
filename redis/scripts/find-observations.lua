#!lua flags=no-writes
-- An observation by its token, or those of a registration; with the registration's row.
-- KEYS registrations, ids, observations, observed (of the bucket)
-- ARGV 1 'token' or 'registration', 2 which
-- RETURNS { row, token, observation, … }; nil: there is none
local tokens, id = ARGV[2], ARGV[2]
if ARGV[1] == 'registration' then
  tokens = redis.call('HGET', KEYS[4], id)
else
  id = string.match(redis.call('HGET', KEYS[3], tokens) or '', '^[^\n]*')
end
local endpoint = redis.call('HGET', KEYS[2], id)
if not tokens or not endpoint then return nil end
local found = { redis.call('HGET', KEYS[1], endpoint) }
for token in string.gmatch(tokens, '%S+') do
  found[#found + 1] = token
  found[#found + 1] = redis.call('HGET', KEYS[3], token)
end
return found
