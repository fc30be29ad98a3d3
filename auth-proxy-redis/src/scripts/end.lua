-- Deletes a record, or replaces it by a block.
-- KEYS: session. ARGV: the record of a block, its time to live in ms (0: no block).
-- Returns the linked keys of the deleted record, one after another.
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'table' and record.err and not string.find(record.err, 'WRONGTYPE', 1, true) then return record end
local linked = ''
if type(record) == 'string' and #record >= 35 and string.byte(record, 1) == 1 then
  linked = string.sub(record, 36, 35 + 32 * math.min(string.byte(record, 35), 8))
  -- A block is never shortened: the call to the upstream that it waits for may still be under way.
  if string.byte(record, 2) == 2 and redis.call('PTTL', KEYS[1]) >= tonumber(ARGV[2]) then return '' end
end
-- DEL comes first. It works when memory is full, and after a write Redis lets the rest of a script write too.
redis.call('DEL', KEYS[1])
if tonumber(ARGV[2]) > 0 then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return linked
