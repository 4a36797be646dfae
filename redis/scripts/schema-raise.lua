#!lua
-- The database has been brought from the version before to this one.
-- KEYS 1 schema: see schema-enter
-- ARGV 1 version
-- RETURNS nothing
if tonumber(redis.call('HGET', KEYS[1], 'version')) == tonumber(ARGV[1]) - 1 then
  redis.call('HSET', KEYS[1], 'version', ARGV[1])
end
