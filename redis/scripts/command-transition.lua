#!lua
-- A step of a command's life, from one of the states it names, and by the owner of its device where it names one.
-- KEYS 1 commands, 2 about, 3 open, 4 newest, 5 counts, 6 queued, 7 ended, 8 removable: see command-enqueue
--      9 owners: endpoint -> fencing number and node
-- ARGV 1 id, 2 fencing number and node, or nothing, 3 state that it goes to, 4 at, 5 reason (JSON) or nothing,
--      6 result (JSON) or nothing: that of before stays, 7 attempts more, 8 step of the history (JSON), 9 first and
--      10 newest steps that are kept; then the states that it may be in
-- RETURNS the record; nothing where the step did not take place
local id, to, at = ARGV[1], ARGV[3], ARGV[4]
local about = redis.call('HGET', KEYS[2], id)
if not about then return nil end
local state, kind, job, attempt, createdAt, expiresAt, endpoint =
  string.match(about, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
local isFrom = false
for i = 11, #ARGV do isFrom = isFrom or ARGV[i] == state end
local final = { done = true, failed = true, cancelled = true, expired = true, unknown = true }
if not isFrom or final[state] then return nil end
if ARGV[2] ~= '' and redis.call('HGET', KEYS[9], endpoint) ~= ARGV[2] then return nil end

local lines = {}
for line in string.gmatch(redis.call('HGET', KEYS[1], id) .. '\n', '([^\n]*)\n') do lines[#lines + 1] = line end
lines[3] = to
lines[4] = string.format('%.0f', tonumber(lines[4]) + tonumber(ARGV[7]))
lines[5] = at
lines[6] = ARGV[5]
if ARGV[6] ~= '' then lines[7] = ARGV[6] end
lines[#lines + 1] = ARGV[8]
local first, newest = tonumber(ARGV[9]), tonumber(ARGV[10])
while #lines - 7 > first + newest do table.remove(lines, 7 + first + 1) end
local record = table.concat(lines, '\n')

redis.call('HSET', KEYS[1], id, record)
redis.call('HSET', KEYS[2], id, table.concat({ to, kind, job, attempt, createdAt, expiresAt, endpoint }, ' '))
redis.call('HINCRBY', KEYS[5], 'in ' .. state, -1)
redis.call('HINCRBY', KEYS[5], 'in ' .. to, 1)
if to == 'queued' then
  redis.call('ZADD', KEYS[6], expiresAt, id)
else
  redis.call('ZREM', KEYS[6], id)
end
if final[to] then
  local rest = {}
  for opened in string.gmatch(redis.call('HGET', KEYS[3], endpoint) or '', '%S+') do
    if string.match(opened, '^[^:]+') ~= id then rest[#rest + 1] = opened end
  end
  if #rest == 0 then
    redis.call('HDEL', KEYS[3], endpoint)
  else
    redis.call('HSET', KEYS[3], endpoint, table.concat(rest, ' '))
  end
  local ofKind = 'open ' .. kind
  if redis.call('HINCRBY', KEYS[5], ofKind, -1) <= 0 then redis.call('HDEL', KEYS[5], ofKind) end
  redis.call('ZADD', KEYS[7], at, id)
  if string.match(redis.call('HGET', KEYS[4], endpoint) or '', '(%S+)$') ~= id then
    redis.call('ZADD', KEYS[8], at, id)
  end
end
return record
