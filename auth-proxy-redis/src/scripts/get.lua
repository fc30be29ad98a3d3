-- Reads a record, or writes a ticket if there is none.
-- KEYS: session. ARGV: the record of a new ticket, its time to live in ms.
-- Returns {record, time to live in ms}, or {} if memory is full.
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'table' and record.err and not string.find(record.err, 'WRONGTYPE', 1, true) then return record end
if type(record) == 'string' and #record >= 35 and string.byte(record, 1) == 1 then
  local kind, linked = string.byte(record, 2), string.byte(record, 35)
  local ttl = redis.call('PTTL', KEYS[1])
  if kind <= 2 and linked <= 8 and #record >= 35 + 32 * linked and ttl >= 0 then
    if kind == 0 and ttl < ARGV[2] / 2 then
      redis.call('PEXPIRE', KEYS[1], ARGV[2])
    end
    return {record, ttl}
  end
end
local set = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if set.err then
  if string.find(set.err, 'OOM', 1, true) then return {} end
  return set
end
return {ARGV[1], tonumber(ARGV[2])}
