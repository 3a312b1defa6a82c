-- Forgets a user's failures, and takes one try off a device's count.
local user, device = ARGV[1], base .. ':tries:device:' .. ARGV[2]
redis.call('DEL', base .. ':tries:user:' .. user)
if tonumber(redis.call('HGET', device, 'count') or '0') > 0 then
  redis.call('HINCRBY', device, 'count', -1)
end
