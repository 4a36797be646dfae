#!lua
-- Keeps, for each path of a device, the value that was taken last; one of a clock that was far ahead gives way.
-- KEYS 1 last values of the device: path -> takenAt, receivedAt and value (JSON)
-- ARGV 1 how far ahead of its receipt a value may say that it was taken, µs; then path, takenAt, receivedAt and value
--      (JSON) of each
-- RETURNS nothing
local ahead = tonumber(ARGV[1])
local paths = {}
for i = 2, #ARGV, 4 do paths[#paths + 1] = ARGV[i] end
local times = {}
for i, kept in ipairs(redis.call('HMGET', KEYS[1], unpack(paths))) do
  if kept then times[paths[i]] = tonumber(string.match(kept, '^%S+')) end
end
local changed, count = {}, 0
for i = 2, #ARGV, 4 do
  local path, taken, received = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local before = times[path]
  if not before or taken >= before or before > received + ahead then
    times[path] = taken
    changed[count + 1] = path
    changed[count + 2] = ARGV[i + 1] .. ' ' .. ARGV[i + 2] .. ' ' .. ARGV[i + 3]
    count = count + 2
  end
end
if count > 0 then redis.call('HSET', KEYS[1], unpack(changed)) end
