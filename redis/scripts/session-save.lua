#!lua flags=allow-oom
-- Gives a session up, with its receive window.
-- KEYS 1 session
-- ARGV 1 fence, 2 state, 3 window in base64, 4 how long it is kept, ms
-- RETURNS who it is with; nil: it has another fence, or is gone
local session = readSession(KEYS[1])
if not session or session.fence ~= ARGV[1] then return nil end
session.fence = sum(session.fence, 1)
session.node = ''
session.state = ARGV[2]
session.window = ARGV[3]
writeSession(KEYS[1], session, ARGV[4])
return session.holder
