-- Moves people; the same as Act::transition in desk/seat.rs. Returns the transition as JSON.
local what, user, device, since, at, head, request, remembered, undo = unpack(ARGV)

local asked = base .. ':request:' .. request
local first = redis.call('GET', asked)
if first then return first end

if user ~= '' and redis.call('HEXISTS', USERS, user) == 0 then return missing('user ' .. user) end
if device ~= '' and redis.call('HEXISTS', DEVICES, device) == 0 then return missing('device ' .. device) end

local before = revision()
local removed, seated = {}, {}

local function leave(from)
  removed[#removed + 1] = unseat(from)
end

local function sit(who, where, from)
  local binding = string.format('{"user":"%s","device":"%s","since":"%s","revision":%s}', who, where, from, whole(before + 1))
  redis.call('HSET', SEATS, where, binding)
  redis.call('HSET', PLACES, who, where)
  seated[#seated + 1] = binding
end

local function for_hotdesking(body)
  return body and cjson.decode(body).hotdesk
end

if what == 'undo' or what == 'expire' then
  undo = cjson.decode(undo)
  for _, binding in ipairs(undo.seated) do
    local now = redis.call('HGET', SEATS, binding.device)
    now = now and cjson.decode(now)
    -- The very same binding, not a later one of the same two.
    if now and now.user == binding.user and now.revision == binding.revision then leave(binding.device) end
  end
  for _, binding in ipairs(undo.removed) do
    if for_hotdesking(redis.call('HGET', USERS, binding.user))
      and for_hotdesking(redis.call('HGET', DEVICES, binding.device))
      and redis.call('HEXISTS', PLACES, binding.user) == 0
      and redis.call('HEXISTS', SEATS, binding.device) == 0
    then
      sit(binding.user, binding.device, binding.since)
    end
  end

elseif what == 'clear' then
  leave(device)

else
  local place = redis.call('HGET', PLACES, user)
  if what == 'leave' then
    if place == device then leave(device) end
  elseif what == 'leave_all' then
    if place then leave(place) end
  elseif place ~= device then -- seat
    if place then leave(place) end
    leave(device)
    sit(user, device, since)
  end
end

local now = before
local moved = '"removed":[' .. table.concat(removed, ',') .. '],"seated":[' .. table.concat(seated, ',') .. ']'
if #removed + #seated > 0 then
  now = append(at, head, '{"event":"moved",' .. moved .. (what == 'undo' and ',"undo":true}' or '}'))
end
local transition = '{"revision":' .. whole(now) .. ',' .. moved .. '}'
redis.call('SET', asked, transition, 'EX', remembered)
return transition
