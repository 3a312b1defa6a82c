-- Counts a try for a user and at a device. The window is reckoned by the clock that comes along, so that it is the
-- same as in SQLite; Redis only clears away what is over.
local user, device, now, window = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local function count(kind, name)
  local tries = base .. ':tries:' .. kind .. ':' .. name
  local began = tonumber(redis.call('HGET', tries, 'began') or nil)
  -- One that began far in the future was begun by a wrong clock.
  if not began or math.abs(now - began) >= window then
    redis.call('HSET', tries, 'began', ARGV[3], 'count', 0)
    redis.call('EXPIRE', tries, window)
  end
  return redis.call('HINCRBY', tries, 'count', 1)
end

return { count('device', device), count('user', user) }
