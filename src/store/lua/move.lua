-- Moves people; the same as Act::transition in desk/seat.rs. Returns the transition as JSON.
local what, user, device, since, at, head, request, remembered, rules = unpack(ARGV)

local asked = base .. ':request:' .. request
local first = redis.call('GET', asked)
if first then return first end

if user ~= '' and redis.call('HEXISTS', USERS, user) == 0 then return missing('user ' .. user) end
if device ~= '' and redis.call('HEXISTS', DEVICES, device) == 0 then return missing('device ' .. device) end

rules = cjson.decode(rules)
local before = revision()
local removed, seated = {}, {}

local function leave(from)
  removed[#removed + 1] = unseat(from)
end

local function sit(who, where, from)
  local binding = string.format('{"user":"%s","device":"%s","since":"%s","revision":%s}', who, where, from, whole(before + 1))
  redis.call('HSET', SEATS, where, binding)
  redis.call('SADD', places(who), where)
  seated[#seated + 1] = binding
end

local function for_hotdesking(body)
  return body and cjson.decode(body).hotdesk
end

local function refused(why)
  return redis.error_reply('REFUSED ' .. why)
end

-- Text that is in the order of the times; theirs have fractions as long as need be, or none.
local function in_order(time)
  return (time:gsub('Z$', ''):gsub('^([^.]+)$', '%1.'))
end

-- A user's bindings, those of longest standing first.
local function bindings_of(who)
  local all = {}
  for _, where in ipairs(places_of(who)) do
    all[#all + 1] = cjson.decode(redis.call('HGET', SEATS, where))
  end
  table.sort(all, function(one, other)
    local a, b = in_order(one.since), in_order(other.since)
    if a ~= b then return a < b end
    if one.revision ~= other.revision then return one.revision < other.revision end
    return one.device < other.device
  end)
  return all
end

if what == 'undo' or what == 'expire' then
  for _, binding in ipairs(rules.seated) do
    local now = redis.call('HGET', SEATS, binding.device)
    now = now and cjson.decode(now)
    -- The very same binding, not a later one of the same two.
    if now and now.user == binding.user and now.revision == binding.revision then leave(binding.device) end
  end
  for _, binding in ipairs(rules.removed) do
    if for_hotdesking(redis.call('HGET', USERS, binding.user))
      and for_hotdesking(redis.call('HGET', DEVICES, binding.device))
      and redis.call('SCARD', places(binding.user)) < rules.most
      and redis.call('HEXISTS', SEATS, binding.device) == 0
    then
      sit(binding.user, binding.device, binding.since)
    end
  end

elseif what == 'clear' then
  leave(device)

elseif what == 'leave' then
  if redis.call('SISMEMBER', places(user), device) == 1 then leave(device) end

elseif what == 'leave_all' then
  for _, place in ipairs(places_of(user)) do leave(place) end

elseif redis.call('SISMEMBER', places(user), device) == 0 then -- seat
  if not for_hotdesking(redis.call('HGET', USERS, user)) then return refused('user-forbidden') end
  if not for_hotdesking(redis.call('HGET', DEVICES, device)) then return refused('device-forbidden') end
  if not rules.take_over and redis.call('HEXISTS', SEATS, device) == 1 then return refused('device-occupied') end
  local has = bindings_of(user)
  if rules.refuse and #has > 0 then return refused('user-elsewhere') end
  for n = 1, #has + 1 - rules.most do leave(has[n].device) end
  leave(device)
  sit(user, device, since)
end

local now = before
local moved = '"removed":[' .. table.concat(removed, ',') .. '],"seated":[' .. table.concat(seated, ',') .. ']'
if #removed + #seated > 0 then
  now = append(at, head, '{"event":"moved",' .. moved .. (what == 'undo' and ',"undo":true}' or '}'))
end
local transition = '{"revision":' .. whole(now) .. ',' .. moved .. '}'
redis.call('SET', asked, transition, 'EX', remembered)
return transition
