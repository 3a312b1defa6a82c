-- Many changes, all or none; `change` is change.lua. What would make one of them fail is looked for first, as a script
-- that fails in its middle leaves what it has written.
local at, head = ARGV[1], ARGV[2]
local added = {}

for i = 3, #ARGV, 3 do
  local what, name, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if what == 'pin' and not added['user ' .. name] and redis.call('HEXISTS', USERS, name) == 0 then
    return missing('user ' .. name)
  end
  local stands = what == 'device' and location_in(body)
  if stands and not added['location ' .. stands] and redis.call('HEXISTS', LOCATIONS, stands) == 0 then
    return missing('location ' .. stands)
  end
  added[what .. ' ' .. name] = true
end

for i = 3, #ARGV, 3 do
  change({ ARGV[i], ARGV[i + 1], ARGV[i + 2], at, head })
end
return revision()
