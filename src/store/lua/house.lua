-- What every script begins with: the keys of a tenant, and the few things done to them everywhere.
--
-- KEYS[1] is hotdesk:{tenant}. Every key begins with it, so that all of a tenant lie in one slot of a cluster;
-- which ones an act needs is known only while it runs (whose device is it, who sits there).

local base = KEYS[1]
local VERSION = base .. ':version'   -- of all of this; without it, 2
local REVISION = base .. ':revision' -- counter
local JOURNAL = base .. ':journal'   -- stream, ids are <revision>-0
local COUNTED = base .. ':counted'   -- hash, '<day> <what>' to how often, of entries that were dropped
local USERS = base .. ':users'       -- hash, extension to JSON
local PINS = base .. ':pins'         -- hash, extension to JSON
local DEVICES = base .. ':devices'   -- hash, name to JSON
local LOCATIONS = base .. ':locations' -- hash, name to JSON
local SEATS = base .. ':seats'       -- hash, device to JSON of the binding
local TRIES = base .. ':tries'       -- hash, user:<alias> and device:<name> to JSON of their failures
local TRIED = base .. ':tried'       -- sorted set, those of TRIES by the second of the last failure

-- KNOWN stands above, in redis/mod.rs. The mark is written with the first entry of the journal.
local version = redis.call('GET', VERSION)
if version and tonumber(version) ~= KNOWN then
  return redis.error_reply('NEWER ' .. version)
end

-- The set of devices that a user owns.
local function owned(user)
  return base .. ':owned:' .. user
end

-- What was seen of a device since somebody sits there: a hash of microseconds since 1970.
local function seen(device)
  return base .. ':seen:' .. device
end

-- The set of devices at which a user sits.
local function places(user)
  return base .. ':at:' .. user
end

-- The devices at which a user sits, in their order.
local function places_of(user)
  local devices = redis.call('SMEMBERS', places(user))
  table.sort(devices)
  return devices
end

-- The set of devices that stand at a location.
local function standing(location)
  return base .. ':standing:' .. location
end

-- A whole number as text; tostring would write 1e+15.
local function whole(number)
  return string.format('%.0f', number)
end

local function revision()
  return tonumber(redis.call('GET', REVISION) or '0')
end

-- The revision of the journal's first entry, if there is one.
local function oldest()
  local entry = redis.call('XRANGE', JOURNAL, '-', '+', 'COUNT', 1)[1]
  return entry and tonumber(entry[1]:match('^%d+'))
end

local function missing(what)
  return redis.error_reply('MISSING ' .. what)
end

-- Appends to the journal: head is a JSON object of who and when, event one of what. Returns the revision.
local function append(at, head, event)
  local now = redis.call('INCR', REVISION)
  if not version then
    version = KNOWN
    redis.call('SET', VERSION, version)
  end
  local entry = head:sub(1, -2) .. ',' .. event:sub(2)
  redis.call('XADD', JOURNAL, whole(now) .. '-0', 'at', at, 'entry', entry)
  return now
end

-- Takes whoever sits at a device away. Returns the JSON of his binding and his extension, if there was one.
local function unseat(device)
  local binding = redis.call('HGET', SEATS, device)
  if not binding then
    return nil, nil
  end
  local user = cjson.decode(binding).user
  redis.call('HDEL', SEATS, device)
  redis.call('SREM', places(user), device)
  redis.call('DEL', seen(device))
  return binding, user
end

-- A field in the JSON of a device, if it has one.
local function in_device(device, field)
  local value = device and cjson.decode(device)[field]
  if value == cjson.null then
    return nil
  end
  return value or nil
end

local function owner_in(device)
  return in_device(device, 'owner')
end

local function location_in(device)
  return in_device(device, 'location')
end

-- What is kept of the failures of user:<alias> or device:<name>.
local function tries_of(who)
  local body = redis.call('HGET', TRIES, who)
  if body then return cjson.decode(body) end
  return { failures = {}, row = 0, locks = 0, ['until'] = 0 }
end

local function forget(who)
  redis.call('HDEL', TRIES, who)
  redis.call('ZREM', TRIED, who)
end

-- Keeps them; last, if given, is when the last one was.
local function keep(who, tries, last)
  if #tries.failures == 0 and tries.row == 0 and tries.locks == 0 and tries['until'] == 0 then
    return forget(who)
  end
  local failures = #tries.failures == 0 and '[]' or cjson.encode(tries.failures)
  redis.call('HSET', TRIES, who, string.format('{"failures":%s,"row":%s,"locks":%s,"until":%s}', failures,
    whole(tries.row), whole(tries.locks), whole(tries['until'])))
  if last then redis.call('ZADD', TRIED, last, who) end
end
