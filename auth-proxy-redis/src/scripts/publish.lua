-- Publishes a message to all instances.
-- KEYS: times of the instances. ARGV: channel, message, ms for which an instance trusts a beat, ms after which it is removed.
-- Returns {number of subscribers, instances that may still trust}. Fails on a replica, which cannot write.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[4]))
local receivers = redis.call('PUBLISH', ARGV[1], ARGV[2])
-- PUBLISH also counts clients that listen to a pattern, such as monitoring tools, and these acknowledge nothing.
local subscribers = redis.pcall('PUBSUB', 'NUMSUB', ARGV[1])
return {
  subscribers[2] or receivers,
  redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[3]), '+inf'),
}
