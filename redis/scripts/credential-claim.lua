#!lua
-- Gives an identity to a device, unless it is another one's.
-- KEYS 1: hash identity → claim, which is a random text, a space and the endpoint
-- ARGV 1: identity, 2: claim, 3: endpoint, 4: a claim that is known to hold nothing, or empty
-- RETURNS an empty text; or the claim of the other device
local claim = redis.call('HGET', KEYS[1], ARGV[1])
if claim and claim ~= ARGV[4] and string.match(claim, '^%S+ (.*)$') ~= ARGV[3] then
  return claim
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ''
