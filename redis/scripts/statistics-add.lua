#!lua
-- Adds a sample to its minute and its hour: gauges replace, counters are added.
-- KEYS 1 minutes: when each begins -> a line of how many minutes it tells of, then a line for each figure: g or c, its
--        value, its name (JSON); 2 hours, the same; 3 and 4 when minutes and hours begin, in order
-- ARGV 1 when the minute begins, 2 when the hour begins; then g or c, value and name (JSON) of each figure
-- RETURNS nothing
local function add(rows, times, at, minutes)
  local names, figures, before = {}, {}, redis.call('HGET', rows, at)
  if before then
    minutes = minutes + tonumber(string.match(before, '^%d+'))
    for kind, value, name in string.gmatch(before, '\n(%a) (%S+) ([^\n]*)') do
      names[#names + 1] = kind .. name
      figures[kind .. name] = value
    end
  end
  for i = 3, #ARGV, 3 do
    local kind, value, name = ARGV[i], ARGV[i + 1], ARGV[i] .. ARGV[i + 2]
    local has = figures[name]
    if not has then names[#names + 1] = name end
    if has and kind == 'c' then value = string.format('%.17g', tonumber(has) + tonumber(value)) end
    figures[name] = value
  end
  local lines = { minutes }
  for _, name in ipairs(names) do
    lines[#lines + 1] = string.sub(name, 1, 1) .. ' ' .. figures[name] .. ' ' .. string.sub(name, 2)
  end
  redis.call('HSET', rows, at, table.concat(lines, '\n'))
  redis.call('ZADD', times, at, at)
end
local isKnown = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1
add(KEYS[1], KEYS[3], ARGV[1], isKnown and 0 or 1)
add(KEYS[2], KEYS[4], ARGV[2], isKnown and 0 or 1)
