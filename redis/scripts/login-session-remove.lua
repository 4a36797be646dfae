#!lua flags=allow-oom
-- Ends one session of a user, or all but one. A full Redis lets people log out.
-- KEYS 1: hash id → session, 2: sorted set of sessions by when they end, 3: sorted set of the user's by when they began
-- ARGV 1: id of the one, empty for all, 2: of all, the one that stays, or empty
-- RETURNS how many were ended
local ended = 0
local ids = ARGV[1] == '' and redis.call('ZRANGE', KEYS[3], 0, -1) or { ARGV[1] }
for _, id in ipairs(ids) do
  if id ~= ARGV[2] then
    ended = ended + redis.call('HDEL', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
    redis.call('ZREM', KEYS[3], id)
  end
end
return ended
