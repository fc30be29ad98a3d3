-- Notes that an instance is alive, and publishes its beat to it.
-- KEYS: counter of links, times of the instances, list of notes. ARGV: instance, its channel, the beat, ms after which an
-- instance is removed, the mark of the list, '1' if the instance knows the whole list and Redis has all that it knows.
-- Returns {counter of links, 1 if the list still has its mark}. Fails on a replica, which cannot write.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
-- A removal works when memory is full, and after a write Redis lets the rest of a script write too.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[4]))
redis.call('ZADD', KEYS[2], now, ARGV[1])
local is_marked = redis.call('ZSCORE', KEYS[3], '') == ARGV[5]
-- A new instance then need not wait for others that may still have to tell it something.
if is_marked and ARGV[6] == '1' then redis.call('ZADD', KEYS[2], now, 'known') end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return {redis.call('GET', KEYS[1]), is_marked and 1 or 0}
