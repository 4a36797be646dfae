#!lua flags=no-writes
-- Looks for commands of one bucket, newest first.
-- KEYS 1 order, 2 about, 3 commands: see command-enqueue
-- ARGV 1 time of enqueuing to begin with, as a bound of a range, 2 how many are wanted at the most, 3 how many are
--      looked at at the most, 4 endpoint, 5 kind, 6 job, 7 createdAt from which and 8 before which: nothing where they
--      are not asked for; then the states, or none for all
-- RETURNS time of the last one that was looked at, or nothing where there is no more; then id, time and size of the
--         record of each that was found
local wanted, looks = tonumber(ARGV[2]), tonumber(ARGV[3])
local states
for i = 9, #ARGV do
  states = states or {}
  states[ARGV[i]] = true
end
local from, to = tonumber(ARGV[7]), tonumber(ARGV[8])
local reply = { '' }
local bound = ARGV[1]
while true do
  local step = math.min(looks, 200)
  local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], bound, '-inf', 'WITHSCORES', 'LIMIT', 0, step)
  local ids = {}
  for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
  if #ids == 0 then return reply end
  local abouts = redis.call('HMGET', KEYS[2], unpack(ids))
  for i = 1, #ids do
    local state, kind, job, createdAt, endpoint =
      string.match(abouts[i], '^(%S+) (%S+) (%S+) %S+ (%S+) %S+ (.*)$')
    local at = tonumber(createdAt)
    if (ARGV[4] == '' or ARGV[4] == endpoint) and (ARGV[5] == '' or ARGV[5] == kind)
      and (ARGV[6] == '' or ARGV[6] == job) and (not from or at >= from) and (not to or at < to)
      and (not states or states[state]) then
      reply[#reply + 1] = ids[i]
      reply[#reply + 1] = found[2 * i]
      reply[#reply + 1] = redis.call('HSTRLEN', KEYS[3], ids[i])
      wanted = wanted - 1
    end
    looks = looks - 1
    bound = '(' .. found[2 * i]
    if wanted == 0 or looks == 0 then
      reply[1] = found[2 * i]
      return reply
    end
  end
  if #ids < step then return reply end
end
