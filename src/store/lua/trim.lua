-- Drops the oldest entries, from ARGV[1] to ARGV[2], and adds what was counted of them: field and number of each. Whoever
-- comes second finds another oldest one. Returns whether it was done.
local from, upto = tonumber(ARGV[1]), tonumber(ARGV[2])
if oldest() ~= from or upto >= revision() then return 0 end
for n = 3, #ARGV, 2 do
  redis.call('HINCRBY', COUNTED, ARGV[n], ARGV[n + 1])
end
-- By their number, as Redis 6.0 knows no MINID.
local dropped = #redis.call('XRANGE', JOURNAL, whole(from) .. '-0', whole(upto) .. '-0')
redis.call('XTRIM', JOURNAL, 'MAXLEN', redis.call('XLEN', JOURNAL) - dropped)
return 1
