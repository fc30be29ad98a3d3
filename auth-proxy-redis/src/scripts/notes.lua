-- Reads a page of the list of notes. The notes that end last come first: a note that is removed meanwhile is at the end, so
-- no other note is skipped.
-- KEYS: list of notes. ARGV: first index, last index, the most bytes of a note.
-- Returns {number of entries, notes}. The mark and entries that are too large are counted and not returned.
local entries, notes = redis.call('ZREVRANGE', KEYS[1], ARGV[1], ARGV[2]), {}
for _, entry in ipairs(entries) do
  if #entry > 0 and #entry <= tonumber(ARGV[3]) then notes[#notes + 1] = entry end
end
return {#entries, notes}
