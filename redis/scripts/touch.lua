#!lua flags=allow-oom
-- Writes something, so that whoever waits for replicas waits for all that was written before.
-- KEYS 1 a key for a moment
-- RETURNS how many replicas are there
redis.call('SET', KEYS[1], '', 'PX', 60000)
return { replicas() }
