-- What every script begins with. KEYS[1] is hotdesk:{tenant}; every key begins with it, so that all of a tenant lie in one slot
-- of a cluster. VERSION stands above, in script.rs. Nothing here knows what the records mean.
local base = KEYS[1]
local function record(kind) return base .. ':record:' .. kind end -- hash, name to JSON
local function index(name, by) return base .. ':index:' .. name .. ':' .. by end -- set of names of records
local IDENTITY = base .. ':identity' -- made with the data
local REVISION = base .. ':revision' -- counter
local JOURNAL = base .. ':journal' -- stream, ids are <revision>-0
local COUNTED = base .. ':counted' -- hash, '<day> <what>' to how often, of entries that were dropped

-- Data of version 2 may have no mark.
local version = redis.call('GET', base .. ':version')
if not version and redis.call('EXISTS', REVISION) == 1 then version = '2' end
if version and version ~= VERSION then return redis.error_reply('VERSION ' .. version) end

-- A whole number as text; tostring would write 1e+15.
local function whole(number) return string.format('%.0f', number) end
local function revision() return tonumber(redis.call('GET', REVISION) or '0') end
local function oldest()
  local entry = redis.call('XRANGE', JOURNAL, '-', '+', 'COUNT', 1)[1]
  return entry and tonumber(entry[1]:match('^%d+'))
end
