#!lua flags=no-writes
-- Looks for commands of one bucket, newest first.
-- KEYS 1 order, 2 about, 3 commands, 4 counts: see command-enqueue
-- ARGV 1 time of enqueuing to begin with, as a bound of a range, 2 how many are wanted at the most, 3 how many are
--      looked at at the most, 4 endpoint, 5 kind, 6 job, 7 createdAt from which and 8 before which: nothing where they
--      are not asked for; then the states, or none for all
-- RETURNS time of the last one that was looked at, or nothing where there is no more; then id, time and size of the
--         record of each that was found
local wanted, looks = tonumber(ARGV[2]), tonumber(ARGV[3])
local states
-- How many are in one of the states: who has seen them all need not look on.
local unseen = 0
for i = 9, #ARGV do
  states = states or {}
  states[ARGV[i]] = true
  unseen = unseen + tonumber(redis.call('HGET', KEYS[4], 'in ' .. ARGV[i]) or '0')
end
local from, to = tonumber(ARGV[7]), tonumber(ARGV[8])
local reply = { '' }
if states and unseen == 0 then return reply end
local bound = ARGV[1]
local step = wanted
while true do
  -- Where most of them fit, few have to be looked at.
  step = math.min(step, looks, 200)
  local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], bound, '-inf', 'WITHSCORES', 'LIMIT', 0, step)
  local ids = {}
  for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
  if #ids == 0 then return reply end
  local abouts = redis.call('HMGET', KEYS[2], unpack(ids))
  for i = 1, #ids do
    local about = abouts[i]
    if not states or states[string.match(about, '^%S+')] then
      unseen = unseen - 1
      local kind, job, createdAt, endpoint = string.match(about, '^%S+ (%S+) (%S+) %S+ (%S+) %S+ (.*)$')
      local at = tonumber(createdAt)
      if (ARGV[4] == '' or ARGV[4] == endpoint) and (ARGV[5] == '' or ARGV[5] == kind)
        and (ARGV[6] == '' or ARGV[6] == job) and (not from or at >= from) and (not to or at < to) then
        reply[#reply + 1] = ids[i]
        reply[#reply + 1] = found[2 * i]
        reply[#reply + 1] = redis.call('HSTRLEN', KEYS[3], ids[i])
        wanted = wanted - 1
      end
    end
    looks = looks - 1
    bound = '(' .. found[2 * i]
    if unseen == 0 and states then return reply end
    if wanted == 0 or looks == 0 then
      reply[1] = found[2 * i]
      return reply
    end
  end
  if #ids < step then return reply end
  step = step * 4
end
