#!lua flags=no-writes
-- All devices of a bucket.
-- KEYS devices, revision (of the bucket)
-- RETURNS { revision, endpoint and row of each }
return { redis.call('GET', KEYS[2]) or '0', redis.call('HGETALL', KEYS[1]) }
