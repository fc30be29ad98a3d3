-- Adds notes to the list, and publishes them to all instances.
-- KEYS: list of notes, times of the instances.
-- ARGV: channel, start of the message, ms for which an instance trusts a beat, ms after which it is removed,
-- '1' to publish only what is new, s for which a note is kept after its end, the most s until its end, then for each note its
-- end in s since the Unix epoch and its bytes.
-- Returns {number of receivers, instances that may still trust}. Fails on a replica, which cannot write.
local time = redis.call('TIME')
local seconds = tonumber(time[1])
local now = seconds * 1000 + math.floor(tonumber(time[2]) / 1000)
local over = seconds - tonumber(ARGV[6])
-- A removal works when memory is full, and after a write Redis lets the rest of a script write too.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', over)
local told = {}
for i = 8, #ARGV, 2 do
  local score, note = math.min(tonumber(ARGV[i]), seconds + tonumber(ARGV[7])), ARGV[i + 1]
  if score > over then
    local known = redis.call('ZSCORE', KEYS[1], note)
    local is_new = not known or tonumber(known) < score
    if is_new then redis.call('ZADD', KEYS[1], score, note) end
    if is_new or ARGV[5] ~= '1' then told[#told + 1] = string.char(#note) .. note end
  end
end
if #told == 0 then return {0, {}} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[4]))
local receivers = redis.call('PUBLISH', ARGV[1], ARGV[2] .. table.concat(told))
-- PUBLISH also counts clients that listen to a pattern, such as monitoring tools, and these acknowledge nothing.
local subscribers = redis.pcall('PUBSUB', 'NUMSUB', ARGV[1])
return {
  subscribers[2] or receivers,
  redis.call('ZRANGEBYSCORE', KEYS[2], now - tonumber(ARGV[3]), '+inf'),
}
