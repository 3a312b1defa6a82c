-- Drops the oldest entries, from ARGV[1] to ARGV[2], and adds their counts: field and number of each. A second caller finds
-- another oldest entry. Returns whether it was done. Without arguments: the last dropped revision, and the counts.
if #ARGV == 0 then return { (oldest() or 1) - 1, redis.call('HGETALL', COUNTED) } end
local from, upto = tonumber(ARGV[1]), tonumber(ARGV[2])
if oldest() ~= from or upto >= revision() then return 0 end
for n = 3, #ARGV, 2 do redis.call('HINCRBY', COUNTED, ARGV[n], ARGV[n + 1]) end
-- By their number, because Redis 6.0 has no MINID.
local dropped = #redis.call('XRANGE', JOURNAL, whole(from) .. '-0', whole(upto) .. '-0')
redis.call('XTRIM', JOURNAL, 'MAXLEN', redis.call('XLEN', JOURNAL) - dropped)
return 1
