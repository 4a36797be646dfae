#!lua flags=allow-oom
-- Takes a session over, with new write sequence numbers; its receive window leaves the store.
-- KEYS 1 session
-- ARGV 1 fence, 2 node, 3 how many numbers, 4 how long it is kept, ms
-- RETURNS how many replicas are there; then, unless it has another fence or is gone: reserved before, window in base64
local session = readSession(KEYS[1])
if not session or session.fence ~= ARGV[1] then return { replicas() } end
local before, window = session.reserved, session.window
session.fence = sum(session.fence, 1)
session.reserved = sum(before, ARGV[3])
session.node = ARGV[2]
session.window = ''
writeSession(KEYS[1], session, ARGV[4])
return { replicas(), before, window }
