#!lua
-- Sets or removes one member of a device's record, which is a JSON object of texts. A record without members goes.
-- KEYS 1: hash of the bucket, endpoint → record
-- ARGV 1: endpoint, 2: member, 3: value, empty to remove it
-- RETURNS 1 where the member was there before, else 0
local text = redis.call('HGET', KEYS[1], ARGV[1])
local record = text and cjson.decode(text) or {}
local was = record[ARGV[2]] ~= nil
if ARGV[3] ~= '' then
  record[ARGV[2]] = ARGV[3]
elseif was then
  record[ARGV[2]] = nil
else
  return 0
end
if next(record) == nil then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(record))
end
return was and 1 or 0
