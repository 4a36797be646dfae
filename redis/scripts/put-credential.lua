#!lua
-- Writes one member of a device's record of credentials, which is a JSON object of texts.
-- KEYS 1: hash of the bucket, endpoint → record
-- ARGV 1: endpoint, 2: member, 3: value, 4: `any`, `absent`, or `same`: what has to be there, 5: with `same` the value
-- RETURNS { whether it was there (1, 0), whether it was written (1, 0) }
local text = redis.call('HGET', KEYS[1], ARGV[1])
local record = text and cjson.decode(text) or {}
local before = record[ARGV[2]]
local was = before ~= nil and 1 or 0
if ARGV[4] == 'absent' and before ~= nil then return { was, 0 } end
if ARGV[4] == 'same' and before ~= ARGV[5] then return { was, 0 } end
record[ARGV[2]] = ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(record))
return { was, 1 }
