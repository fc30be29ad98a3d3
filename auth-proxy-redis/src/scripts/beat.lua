-- Notes that an instance is alive, and publishes its beat to it.
-- KEYS: counter of links, times of the instances. ARGV: instance, its channel, the beat, ms after which an instance is removed.
-- Returns the counter of links. Fails on a replica, which cannot write.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
-- A removal works when memory is full, and after a write Redis lets the rest of a script write too.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[4]))
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return redis.call('GET', KEYS[1])
