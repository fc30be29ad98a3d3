-- Counts a new link.
-- KEYS: counter of links. Returns the number of the link, larger than every number before.
-- PERSIST changes nothing. It works when memory is full, and after a write Redis lets the rest of a script write too.
redis.call('PERSIST', KEYS[1])
local time = redis.call('TIME')
-- If the counter was lost, the time is still larger than the numbers before.
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local number = string.format('%.0f', math.max((tonumber(redis.call('GET', KEYS[1]) or 0) or 0) + 1, now))
redis.call('SET', KEYS[1], number)
return number
