-- Replaces a PIN's record by another of the same PIN, unless it was replaced by now.
local user, salt, record = ARGV[1], ARGV[2], ARGV[3]
local now = redis.call('HGET', PINS, user)
if now and cjson.decode(now).salt == salt then redis.call('HSET', PINS, user, record) end
