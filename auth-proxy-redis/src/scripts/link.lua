-- Counts a new link, and marks the list of notes.
-- KEYS: counter of links, list of notes, times of the instances. ARGV: ms for which an instance trusts a beat.
-- Returns {the number of the link, larger than every number before; the mark; 1 if another instance knows the whole list}.
-- PERSIST changes nothing. It works when memory is full, and after a write Redis lets the rest of a script write too.
redis.call('PERSIST', KEYS[1])
local time = redis.call('TIME')
-- If the counter was lost, the time is still larger than the numbers before.
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local number = string.format('%.0f', math.max((tonumber(redis.call('GET', KEYS[1]) or 0) or 0) + 1, now))
redis.call('SET', KEYS[1], number)
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[2]) end
-- The mark is an empty entry with the time. A list that was deleted and made again has another mark, or none. Its score is
-- larger than the end of each note.
local is_new = redis.call('ZADD', KEYS[2], 'NX', string.format('%.0f', now), '') == 1
local known = redis.call('ZSCORE', KEYS[3], 'known')
local is_known = known and not is_new and now / 1000 - tonumber(known) <= tonumber(ARGV[1])
return {number, redis.call('ZSCORE', KEYS[2], ''), is_known and 1 or 0}
