-- Changes the directory; the same as write.rs of the SQLite store.
local what, name, body, at, head = unpack(ARGV)
local event

-- Takes a user away from wherever he sits. Returns the devices, if there were any.
local function unseat_user(user)
  local devices = places_of(user)
  for _, device in ipairs(devices) do unseat(device) end
  return #devices > 0 and devices or nil
end

if what == 'edited' then
  local change = cjson.decode(body)
  if redis.call('HGET', USERS, name) ~= change.was then return redis.error_reply('CHANGED user ' .. name) end
  what, body = 'user', change.is
end

if what == 'user' then
  local devices
  if not cjson.decode(body).hotdesk then devices = unseat_user(name) end
  redis.call('HSET', USERS, name, body)
  event = { event = 'user_changed', user = name, devices = devices }

elseif what == 'device' then
  local stood, stands = location_in(redis.call('HGET', DEVICES, name)), location_in(body)
  if stands and redis.call('HEXISTS', LOCATIONS, stands) == 0 then return missing('location ' .. stands) end
  if stood then redis.call('SREM', standing(stood), name) end
  if stands then redis.call('SADD', standing(stands), name) end
  local user
  if not cjson.decode(body).hotdesk then
    local _, left = unseat(name)
    user = left
  end
  local was, is = owner_in(redis.call('HGET', DEVICES, name)), owner_in(body)
  redis.call('HSET', DEVICES, name, body)
  local owners
  if was ~= is then
    owners = {}
    if was then
      owners[#owners + 1] = was
      redis.call('SREM', owned(was), name)
    end
    if is then
      owners[#owners + 1] = is
      redis.call('SADD', owned(is), name)
    end
  end
  event = { event = 'device_changed', device = name, user = user, owners = owners }

elseif what == 'location' then
  redis.call('HSET', LOCATIONS, name, body)
  local devices = redis.call('SMEMBERS', standing(name))
  table.sort(devices)
  event = { event = 'location_changed', location = name, devices = #devices > 0 and devices or nil }

elseif what == 'remove_location' then
  if redis.call('HEXISTS', LOCATIONS, name) == 0 then return missing('location ' .. name) end
  local devices = redis.call('SMEMBERS', standing(name))
  if #devices > 0 then
    table.sort(devices)
    return redis.error_reply('INUSE ' .. table.concat(devices, ' '))
  end
  redis.call('HDEL', LOCATIONS, name)
  event = { event = 'location_removed', location = name }

elseif what == 'pin' then
  if redis.call('HEXISTS', USERS, name) == 0 then return missing('user ' .. name) end
  redis.call('HSET', PINS, name, body)
  event = { event = 'pin_changed', user = name }

elseif what == 'remove_user' then
  if redis.call('HEXISTS', USERS, name) == 0 then return missing('user ' .. name) end
  local devices = unseat_user(name)
  redis.call('HDEL', USERS, name)
  redis.call('HDEL', PINS, name)
  event = { event = 'user_removed', user = name, devices = devices }

elseif what == 'setting' then
  local change = cjson.decode(body)
  if redis.call('HGET', USERS, name) ~= change.was then return redis.error_reply('CHANGED user ' .. name) end
  redis.call('HSET', USERS, name, change.is)
  event = change.event

elseif what == 'unlock' then
  redis.call('DEL', TRIES, TRIED)
  event = cjson.decode(body)

elseif what == 'unlock_device' or what == 'unlock_user' then
  forget(what:sub(8) .. ':' .. name)
  event = cjson.decode(body)

else -- remove_device
  local was = redis.call('HGET', DEVICES, name)
  if not was then return missing('device ' .. name) end
  local _, user = unseat(name)
  local owner = owner_in(was)
  if owner then redis.call('SREM', owned(owner), name) end
  local stood = location_in(was)
  if stood then redis.call('SREM', standing(stood), name) end
  redis.call('HDEL', DEVICES, name)
  event = { event = 'device_removed', device = name, user = user, owners = owner and { owner } }
end

return append(at, head, cjson.encode(event))
