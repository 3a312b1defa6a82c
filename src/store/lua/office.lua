-- A part of the truth, or all of it: revision, then the JSON of users, devices, locations and bindings. What comes along with a
-- scope is said at desk::model::Office.
local scope = cjson.decode(ARGV[1])
if scope == cjson.null then
  local function whole_of(hash) return redis.call('HVALS', hash) end
  return { revision(), whole_of(USERS), whole_of(DEVICES), whole_of(LOCATIONS), whole_of(SEATS) }
end

-- A list in which everything is once.
local function set(from)
  local all = { has = {} }
  function all.add(member)
    if member and not all.has[member] then
      all.has[member] = true
      all[#all + 1] = member
    end
  end
  for _, member in ipairs(from) do all.add(member) end
  return all
end

-- Who has logged in there.
local function guest(device)
  local binding = redis.call('HGET', SEATS, device)
  return binding and cjson.decode(binding).user
end

local users, devices = set(scope.users), set(scope.devices)
for _, device in ipairs(devices) do
  users.add(owner_in(redis.call('HGET', DEVICES, device)))
  users.add(guest(device))
end
for _, user in ipairs(users) do
  for _, device in ipairs(redis.call('SMEMBERS', places(user))) do devices.add(device) end
  for _, device in ipairs(redis.call('SMEMBERS', owned(user))) do
    local guest = guest(device)
    if not guest or users.has[guest] then devices.add(device) end
  end
end

local function those_of(hash, members)
  local found = {}
  for _, member in ipairs(members) do
    local body = redis.call('HGET', hash, member)
    if body then found[#found + 1] = body end
  end
  return found
end

local stand = those_of(DEVICES, devices)
local locations = set({})
for _, device in ipairs(stand) do locations.add(location_in(device)) end

return { revision(), those_of(USERS, users), stand, those_of(LOCATIONS, locations), those_of(SEATS, devices) }
