-- Writes a record if the ticket is still there.
-- KEYS: session. ARGV: generation of the ticket, record, its time to live in ms.
-- Returns 1 if the record was written, 0 if the ticket is gone or memory is full.
local old = redis.pcall('GET', KEYS[1])
if type(old) == 'table' and old.err and not string.find(old.err, 'WRONGTYPE', 1, true) then return old end
if type(old) ~= 'string' or #old < 35 then return 0 end
if string.byte(old, 1) ~= 1 or string.byte(old, 2) > 1 or string.sub(old, 3, 18) ~= ARGV[1] then return 0 end
local set = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if set.err then
  if string.find(set.err, 'OOM', 1, true) then return 0 end
  return set
end
return 1
