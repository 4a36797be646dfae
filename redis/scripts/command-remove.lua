#!lua flags=allow-oom
-- Removes commands that have ended and are not the newest of their device. It may be a full Redis that makes room so.
-- KEYS 1 commands, 2 about, 3 order, 4 ended, 5 removable, 6 jobs, 7 counts: see command-enqueue
-- ARGV ids
-- RETURNS how many were there
local removed = 0
for _, id in ipairs(ARGV) do
  if redis.call('ZREM', KEYS[5], id) == 1 then
    local state, job, attempt, endpoint =
      string.match(redis.call('HGET', KEYS[2], id), '^(%S+) %S+ (%S+) (%S+) %S+ %S+ (.*)$')
    redis.call('HINCRBY', KEYS[7], 'in ' .. state, -1)
    if job ~= '-' then redis.call('HDEL', KEYS[6], attempt .. ' ' .. job .. ' ' .. endpoint) end
    redis.call('HDEL', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
    redis.call('ZREM', KEYS[3], id)
    redis.call('ZREM', KEYS[4], id)
    removed = removed + 1
  end
end
return removed
