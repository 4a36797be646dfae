#!lua
-- Replaces a bootstrap that runs.
-- KEYS 1 sessions: see bootstrap-begin
-- ARGV 1 id, 2 state, 3 updatedAt, 4 the rest
-- RETURNS 1; 0 where it does not run, or is not there
if not string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^running\n') then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], table.concat({ ARGV[2], ARGV[3], ARGV[4] }, '\n'))
return 1
