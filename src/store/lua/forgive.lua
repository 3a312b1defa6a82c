-- Forgets a user's failures, and takes one try off a device's; the same as forgive in desk/lock.rs.
local user, name, at, most = ARGV[1], 'device:' .. ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
forget('user:' .. user)

local device = tries_of(name)
for n, failure in ipairs(device.failures) do
  if failure[1] == at and failure[2] == user then
    table.remove(device.failures, n)
    device.row = math.max(device.row - 1, 0)
    if device['until'] > at and #device.failures + 1 == most then
      device['until'] = 0
      device.locks = math.max(device.locks - 1, 0)
    end
    keep(name, device)
    break
  end
end
