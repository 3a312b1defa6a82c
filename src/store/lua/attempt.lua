-- Counts a try for a user and at a device, unless one of them is locked; the same as attempt in desk/lock.rs, by the
-- clock that comes along and the numbers of its RULE. Returns what it is refused for, if it is, and whose spray it makes.
local user, device, now, rule = ARGV[1], ARGV[2], tonumber(ARGV[3]), cjson.decode(ARGV[4])

-- What is over is forgotten, some at a time.
for _, field in ipairs(redis.call('ZRANGEBYSCORE', TRIED, '-inf', now - rule.kept, 'LIMIT', 0, 20)) do
  forget(field)
end

local function locked(tries, limits)
  if limits.row > 0 and tries.row >= limits.row then return true end
  return now < tries['until'] and tries['until'] <= now + rule.longest + rule.window
end

-- Returns whether this failure is the one that makes a spray.
local function count(tries, limits, with)
  local failures, seen, before = {}, {}, 0
  for _, failure in ipairs(tries.failures) do
    if math.abs(now - failure[1]) < rule.window then
      failures[#failures + 1] = failure
      if not seen[failure[2]] then before = before + 1 end
      seen[failure[2]] = true
    end
  end
  failures[#failures + 1] = { now, with }
  tries.failures = failures
  tries.row = tries.row + 1
  if math.abs(now - tries['until']) >= rule.forgotten then tries.locks = 0 end
  if #failures >= limits.failures then
    tries['until'] = now + math.min(rule.window * 2 ^ math.min(tries.locks, 8), rule.longest)
    tries.locks = tries.locks + 1
  end
  return not seen[with] and before + 1 == limits.spray
end

local of_user, of_device = tries_of('user:' .. user), tries_of('device:' .. device)
if locked(of_user, rule.user) then return { 'user', 0, 0 } end
if locked(of_device, rule.device) then return { 'device', 0, 0 } end
local by_device = count(of_device, rule.device, user)
local by_user = count(of_user, rule.user, device)
-- Who needs an administrator is not forgotten.
local needs = rule.user.row > 0 and of_user.row >= rule.user.row
keep('user:' .. user, of_user, needs and '+inf' or now)
keep('device:' .. device, of_device, now)
return { '', by_device and 1 or 0, by_user and 1 or 0 }
