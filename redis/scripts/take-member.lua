#!lua flags=allow-oom
-- Removes one member of a device's record, which is a JSON object of texts. A record without members goes.
-- KEYS 1: hash of the bucket, endpoint → record
-- ARGV 1: endpoint, 2: member
-- RETURNS the member; false where it was not there
local text = redis.call('HGET', KEYS[1], ARGV[1])
local record = text and cjson.decode(text) or {}
local member = record[ARGV[2]]
if member == nil then
  return false
end
record[ARGV[2]] = nil
if next(record) == nil then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(record))
end
return member
