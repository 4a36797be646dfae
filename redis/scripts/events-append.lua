#!lua
-- Appends events to their log, once: a batch that a writer gives again is the one that is there.
-- KEYS 1 stream of the events, 2 figures of the log: newest, oldest, history (see log-append)
--      3 id of the newest event of each device (`e:<endpoint>`), of each type (`t:<type>`) and of trouble (`!`)
--      4 number and first id of the writer's last batch
-- ARGV 1 number of this batch, 2 how long the writer's last one is known, ms, 3 how far ids leap where the history is
--        another one (see log-append); then of each event type, endpoint or nothing, at, data as JSON, 1 where it is
--        trouble
-- RETURNS id of the first; the others follow it without a gap
local batch, first = string.match(redis.call('GET', KEYS[4]) or '', '^(%d+) (%d+)$')
if batch == ARGV[1] then return first end

local figures = redis.call('HMGET', KEYS[2], 'newest', 'oldest', 'history')
local id = tonumber(figures[1] or '0')
local isEmpty = tonumber(figures[2] or '1') > id
local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if id > 0 and history ~= figures[3] then id = id + tonumber(ARGV[3]) end

local newest, changed = {}, {}
local function before(of, now)
  local found = newest[of]
  if found == nil then
    found = redis.call('HGET', KEYS[3], of) or '0'
    changed[#changed + 1] = of
  end
  newest[of] = now
  return found
end

first = string.format('%.0f', id + 1)
local last
for i = 4, #ARGV, 5 do
  id = id + 1
  last = string.format('%.0f', id)
  local type, endpoint, trouble = ARGV[i], ARGV[i + 1], ARGV[i + 4]
  redis.call('XADD', KEYS[1], last .. '-0', 'type', type, 'endpoint', endpoint, 'at', ARGV[i + 2],
    'data', ARGV[i + 3], 'trouble', trouble,
    'before-of-endpoint', endpoint == '' and '0' or before('e:' .. endpoint, last),
    'before-of-type', before('t:' .. type, last),
    'before-of-trouble', trouble == '' and '0' or before('!', last))
end
for _, of in ipairs(changed) do redis.call('HSET', KEYS[3], of, newest[of]) end
redis.call('HSET', KEYS[2], 'newest', last, 'history', history)
if isEmpty then redis.call('HSET', KEYS[2], 'oldest', first) end
redis.call('SET', KEYS[4], ARGV[1] .. ' ' .. first, 'PX', ARGV[2])
return first
