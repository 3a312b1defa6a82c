-- The first revision that is not older than ARGV[1], in microseconds since 1970: halves the journal until it is found. Entries
-- are nearly in the order of their time; the clocks of controllers may differ a little.
local since = tonumber(ARGV[1])
local to = revision() + 1
local from = oldest() or to
while from < to do
  local middle = math.floor((from + to) / 2)
  local entry = redis.call('XRANGE', JOURNAL, whole(middle) .. '-0', '+', 'COUNT', 1)[1]
  if entry and tonumber(entry[2][2]) < since then from = middle + 1 else to = middle end
end
return from
