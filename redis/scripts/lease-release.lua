#!lua flags=allow-oom
-- Gives a lease back, where it is one's own.
-- KEYS holder
-- ARGV holder
-- RETURNS 1 where it was
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
