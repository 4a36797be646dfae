#!lua flags=allow-oom
-- Removes the oldest entries of the audit log: those that are too old, and those that are too many.
-- KEYS 1: stream of the entries
-- ARGV 1: time up to which they go, ms, 2: how many stay, 3: how many go at the most
-- RETURNS how many went
local many = tonumber(ARGV[3])
local old = #redis.call('XRANGE', KEYS[1], '-', ARGV[1], 'COUNT', many)
local most = redis.call('XLEN', KEYS[1]) - tonumber(ARGV[2])
many = math.min(many, math.max(old, most))
if many <= 0 then return 0 end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', many)
for _, entry in ipairs(first) do
  redis.call('XDEL', KEYS[1], entry[1])
end
return #first
