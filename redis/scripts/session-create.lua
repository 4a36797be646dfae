#!lua
-- Enters a session, unless there is one with that id.
-- KEYS 1 session
-- ARGV 1 its text (shared/session.lua), 2 how long it is kept, ms
-- RETURNS 1; 0: there is one
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
