-- Requests of many visitors: `VISITORS_MOST` of them in turns. The seed keeps the visitors of two runs apart.
local seed, most = os.getenv("VISITORS_SEED"), tonumber(os.getenv("VISITORS_MOST"))
local n = 0
request = function()
  n = (n + 1) % most
  return wrk.format("GET", nil, { Cookie = "authjs.session-token=" .. seed .. "-" .. n })
end
dofile(debug.getinfo(1, "S").source:match("^@(.*)-visitors.lua$") .. ".lua")
