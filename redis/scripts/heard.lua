#!lua
-- When devices were heard last, and until when they listen.
-- KEYS devices, revision, changed (of the bucket)
-- ARGV 1 node (empty: nobody asks whose they are), then endpoint, time heard (empty: not said), awake until (same) of each
-- RETURNS endpoints that are registered with another node
local others = {}
for i = 2, #ARGV, 3 do
  local endpoint, heard, awakeUntil = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local row = redis.call('HGET', KEYS[1], endpoint)
  if row then
    local first, seen, awake, state, node, rest =
      string.match(row, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)(.*)$')
    if heard ~= '' then seen = later(seen, heard) end
    -- Only devices in queue mode sleep.
    if awakeUntil ~= '' and awake ~= '' then awake = awakeUntil end
    local after = first .. '\n' .. seen .. '\n' .. awake .. '\n' .. state .. '\n' .. node .. rest
    if after ~= row then
      redis.call('HSET', KEYS[1], endpoint, after)
      note(KEYS[2], KEYS[3], endpoint)
    end
    if ARGV[1] ~= '' and state == 'registered' and node ~= ARGV[1] then others[#others + 1] = endpoint end
  end
end
return others
