#!lua
-- Enters a token.
-- KEYS 1: hash id → token, 2: sorted set of tokens by when they expire, 3: hash name → user, 4: set of the user's tokens
-- ARGV 1: id, 2: token, 3: when it expires, or empty, 4: its user, or empty, 5: tokens at the most
-- RETURNS 'added', 'full', or 'unknown' where its user is not there
if ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[3], ARGV[4]) == 0 then return 'unknown' end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then return 'full' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1]) end
redis.call('SADD', KEYS[4], ARGV[1])
return 'added'
