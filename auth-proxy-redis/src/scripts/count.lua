-- Counts in a window that begins with the first count.
-- KEYS: counter. ARGV: the length of the window in ms.
-- Returns {count, time until the window ends in ms}, or {} if memory is full.
local count = redis.pcall('INCR', KEYS[1])
if type(count) == 'table' then
  if string.find(count.err, 'OOM', 1, true) then return {} end
  return count
end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
