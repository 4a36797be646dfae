#!lua
-- Enqueues a command to a device, but for one that its key, or its job, has made already.
-- KEYS 1 commands: id -> record: a line each of what never changes (JSON), number, state, attempts, updatedAt, reason
--        (JSON, or empty), result (the same), then a line for each step of its history (JSON)
--      2 about: id -> state, kind, job or -, attempt of the job, createdAt, expiresAt, endpoint: what commands are
--        looked for by
--      3 order: ids by the time of the enqueuing, µs, each another
--      4 open: endpoint -> `id:bytes:kind` of each command that is not final, oldest first
--      5 newest: endpoint -> number and id of its newest command
--      6 counts: `open` and kind -> how many are not final; `in` and state -> how many are in it
--      7 queued: ids by expiresAt
--      8 ended: ids by updatedAt; 9 removable: those of them that are not the newest of their device
--      10 keys: idempotency key -> id and time of its command; 11 the same keys by that time
--      12 jobs: attempt, job and endpoint -> id
-- ARGV 1 id, 2 endpoint, 3 kind, 4 job or -, 5 attempt of the job, 6 createdAt, 7 expiresAt, 8 what never changes,
--      9 bytes of the parameters, 10 first step of the history, 11 idempotency key with its endpoint, or nothing,
--      12 how long a key is kept, ms, 13 old keys that go at the most, 14 commands and 15 bytes that may wait, or
--      nothing
-- RETURNS 'made', and the record; 'known', id and record of the one that was there; 'busy', commands and bytes that wait
local id, endpoint, createdAt = ARGV[1], ARGV[2], tonumber(ARGV[6])

local known
local ofJob = ARGV[5] .. ' ' .. ARGV[4] .. ' ' .. endpoint
if ARGV[4] ~= '-' then known = redis.call('HGET', KEYS[12], ofJob) end
if not known and ARGV[11] ~= '' then
  local found, at = string.match(redis.call('HGET', KEYS[10], ARGV[11]) or '', '^(%S+) (%S+)$')
  if found and tonumber(at) > createdAt - tonumber(ARGV[12]) then known = found end
end
if known then
  local record = redis.call('HGET', KEYS[1], known)
  if record then return { 'known', known, record } end
end

local open = redis.call('HGET', KEYS[4], endpoint) or ''
if ARGV[14] ~= '' then
  local count, bytes = 0, 0
  for size in string.gmatch(open, ':(%d+):') do
    count, bytes = count + 1, bytes + tonumber(size)
  end
  if count >= tonumber(ARGV[14]) or bytes + tonumber(ARGV[9]) > tonumber(ARGV[15]) then
    return { 'busy', count, bytes }
  end
end

local last, before = string.match(redis.call('HGET', KEYS[5], endpoint) or '', '^(%d+) (%S+)$')
local number = string.format('%.0f', math.max((tonumber(last) or 0) + 1, math.floor(createdAt)))
local time = redis.call('TIME')
local newest = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
local at = math.max(tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(newest or '0') + 1)
local record = table.concat({ ARGV[8], number, 'queued', '0', ARGV[6], '', '', ARGV[10] }, '\n')

redis.call('HSET', KEYS[1], id, record)
redis.call('HSET', KEYS[2], id, table.concat({ 'queued', ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], endpoint }, ' '))
redis.call('ZADD', KEYS[3], string.format('%.0f', at), id)
local opened = id .. ':' .. ARGV[9] .. ':' .. ARGV[3]
redis.call('HSET', KEYS[4], endpoint, open == '' and opened or (open .. ' ' .. opened))
redis.call('HSET', KEYS[5], endpoint, number .. ' ' .. id)
redis.call('HINCRBY', KEYS[6], 'open ' .. ARGV[3], 1)
redis.call('HINCRBY', KEYS[6], 'in queued', 1)
redis.call('ZADD', KEYS[7], ARGV[7], id)
if before then
  local ended = redis.call('ZSCORE', KEYS[8], before)
  if ended then redis.call('ZADD', KEYS[9], ended, before) end
end
if ARGV[4] ~= '-' then redis.call('HSET', KEYS[12], ofJob, id) end
if ARGV[11] ~= '' then
  local old = redis.call('ZRANGEBYSCORE', KEYS[11], '-inf', createdAt - tonumber(ARGV[12]), 'LIMIT', 0, ARGV[13])
  if #old > 0 then
    redis.call('HDEL', KEYS[10], unpack(old))
    redis.call('ZREM', KEYS[11], unpack(old))
  end
  redis.call('HSET', KEYS[10], ARGV[11], id .. ' ' .. ARGV[6])
  redis.call('ZADD', KEYS[11], ARGV[6], ARGV[11])
end
return { 'made', record }
