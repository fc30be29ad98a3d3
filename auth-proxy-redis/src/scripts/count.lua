-- Counts in a window that begins with the first count.
-- KEYS: counter. ARGV: the length of the window in ms.
-- Returns {count, time until the window ends in ms}.
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if count == 1 or left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
