#!lua flags=allow-oom
-- Reserves write sequence numbers of a session for who has it, and keeps it for longer.
-- KEYS 1 session
-- ARGV 1 fence, 2 numbers below it are reserved, 3 how long it is kept, ms
-- RETURNS how many replicas are there; who it is with, unless it has another fence or is gone
local session = readSession(KEYS[1])
if not session or session.fence ~= ARGV[1] then return { replicas() } end
if tonumber(ARGV[2]) > tonumber(session.reserved) then session.reserved = ARGV[2] end
writeSession(KEYS[1], session, ARGV[3])
return { replicas(), session.holder }
