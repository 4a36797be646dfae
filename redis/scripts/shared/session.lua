-- A DTLS session is a text: a line `<fence> <reserved> <node>`, a line of who it is with (JSON), a line with the receive
-- window in base64 (empty: none), and the sealed state. The functions touch the key that they are given, no other.

local function readSession(key)
  local record = redis.call('GET', key)
  if not record then return nil end
  local fence, reserved, node, holder, window, state =
    string.match(record, '^(%d+) (%d+) (%S*)\n([^\n]*)\n([^\n]*)\n(.*)$')
  return { fence = fence, reserved = reserved, node = node, holder = holder, window = window, state = state }
end

local function writeSession(key, session, keepFor)
  local first = session.fence .. ' ' .. session.reserved .. ' ' .. session.node
  redis.call('SET', key, table.concat({ first, session.holder, session.window, session.state }, '\n'), 'PX', keepFor)
end

local function sum(number, more) return string.format('%.0f', tonumber(number) + tonumber(more)) end
