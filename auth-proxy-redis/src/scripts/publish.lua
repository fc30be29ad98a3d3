-- Publishes a message to all instances.
-- KEYS: times of the instances. ARGV: channel, message, ms for which an instance trusts a beat, ms after which it is removed.
-- Returns {number of receivers, instances that may still trust}. Fails on a replica, which cannot write.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[4]))
return {
  redis.call('PUBLISH', ARGV[1], ARGV[2]),
  redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[3]), '+inf'),
}
