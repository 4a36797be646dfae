#!lua flags=allow-oom
-- Gives an identity back, where the claim to it is still this one.
-- KEYS 1: hash identity → claim
-- ARGV 1: identity, 2: claim
-- RETURNS 1; 0 where it is another one
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
