-- What every script begins with: the keys of a tenant, and the few things done to them everywhere.
--
-- KEYS[1] is hotdesk:{tenant}. Every key begins with it, so that all of a tenant lie in one slot of a cluster;
-- which ones an act needs is known only while it runs (whose device is it, who sits there).

local base = KEYS[1]
local REVISION = base .. ':revision' -- counter
local JOURNAL = base .. ':journal'   -- stream, ids are <revision>-0
local USERS = base .. ':users'       -- hash, extension to JSON
local PINS = base .. ':pins'         -- hash, extension to JSON
local DEVICES = base .. ':devices'   -- hash, name to JSON
local LOCATIONS = base .. ':locations' -- hash, name to JSON
local SEATS = base .. ':seats'       -- hash, device to JSON of the binding
local PLACES = base .. ':places'     -- hash, user to the device of his binding

-- The set of devices that a user owns.
local function owned(user)
  return base .. ':owned:' .. user
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

local function missing(what)
  return redis.error_reply('MISSING ' .. what)
end

-- Appends to the journal: head is a JSON object of who and when, event one of what. Returns the revision.
local function append(at, head, event)
  local now = redis.call('INCR', REVISION)
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
  redis.call('HDEL', PLACES, user)
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
