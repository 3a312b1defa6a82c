-- Notes what was seen, if it is still the same binding: device, revision, field, value (empty: none) and whether only
-- a later one counts, of each. Returns of each whether it changed something.
local changed = {}
for n = 1, #ARGV, 5 do
  local device, of, field, value, grows = unpack(ARGV, n, n + 4)
  local binding = redis.call('HGET', SEATS, device)
  local news = binding and cjson.decode(binding).revision == tonumber(of)
  if news then
    local was = redis.call('HGET', seen(device), field) or ''
    news = was ~= value and (grows == '0' or tonumber(value) > (tonumber(was) or 0))
  end
  if news and value == '' then
    redis.call('HDEL', seen(device), field)
  elseif news then
    redis.call('HSET', seen(device), field, value)
  end
  changed[#changed + 1] = news and 1 or 0
end
return changed
