#!lua flags=allow-oom
-- Removes a session.
-- KEYS 1 session
-- ARGV 1 fence, or empty: whichever it has
-- RETURNS who it was with; nil: it has another fence, or is gone
local session = readSession(KEYS[1])
if not session or (ARGV[1] ~= '' and session.fence ~= ARGV[1]) then return nil end
redis.call('DEL', KEYS[1])
return session.holder
