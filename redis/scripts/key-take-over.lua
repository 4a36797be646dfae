#!lua
-- Another process carries out a request that is not answered, where the one of before still has it.
-- KEYS 1 keys: see key-begin
-- ARGV 1 key, 2 holder of before, 3 new holder
-- RETURNS 1, or 0 where it did not take place
local fingerprint, since, holder =
  string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^([^\n]*)\n([^\n]*)\n([^\n]*)$')
if holder ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], table.concat({ fingerprint, since, ARGV[3] }, '\n'))
return 1
