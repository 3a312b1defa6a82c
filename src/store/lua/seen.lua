-- What was noted of devices at which somebody sits, of those named or of all: pairs of device and its fields.
local devices = cjson.decode(ARGV[1])
if devices == cjson.null then devices = redis.call('HKEYS', SEATS) end
local found = {}
for _, device in ipairs(devices) do
  local fields = redis.call('HGETALL', seen(device))
  if #fields > 0 then found[#found + 1] = { device, fields } end
end
return found
