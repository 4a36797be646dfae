#!lua flags=no-writes
-- Asks the same of the keys of some buckets.
-- KEYS one of each bucket
-- ARGV a command that reads, and what follows its key
-- RETURNS an answer for each key
local command, rest = ARGV[1], {}
for i = 2, #ARGV do rest[#rest + 1] = ARGV[i] end
local answers = {}
for i, key in ipairs(KEYS) do answers[i] = redis.call(command, key, unpack(rest)) end
return answers
