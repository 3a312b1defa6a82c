-- Follows the steps of a `Reads`. Returns the revision, the records (kind, name, body or false) and the sets that were read
-- (index, by, names); then the identity of the data, and when the newest entry was made.
local ask = cjson.decode(ARGV[1])
local sets, read, records, found = {}, {}, {}, {}

local function set(name)
  sets[name] = sets[name] or { has = {} }
  return sets[name]
end
local function add(to, name)
  local all = set(to)
  if not all.has[name] then
    all.has[name] = true
    all[#all + 1] = name
  end
end
for name, start in pairs(ask.names) do
  for _, each in ipairs(start) do add(name, each) end
end

local function load(kind, name)
  local key = kind .. ' ' .. name
  if read[key] == nil then
    read[key] = redis.call('HGET', record(kind), name)
    records[#records + 1] = { kind, name, read[key] }
  end
  return read[key]
end

local function follow(body, links)
  local fields = body and #links > 0 and cjson.decode(body) or {}
  for _, link in ipairs(links) do
    if type(fields[link[1]]) == 'string' then add(link[2], fields[link[1]]) end
  end
end

for _, step in ipairs(ask.steps) do
  if step.all then
    local all = redis.call('HGETALL', record(step.all))
    for n = 1, #all, 2 do
      records[#records + 1] = { step.all, all[n], all[n + 1] }
      follow(all[n + 1], step.links)
    end
  elseif step.load then
    local names = set(step.of)
    for n = 1, #names do follow(load(step.load, names[n]), step.links) end
  else
    local names = set(step.of)
    for n = 1, #names do
      local members = redis.call('SMEMBERS', index(step.find, names[n]))
      table.sort(members)
      found[#found + 1] = { step.find, names[n], members }
      for _, member in ipairs(members) do add('devices', member) end
    end
  end
end
local newest = redis.call('XREVRANGE', JOURNAL, '+', '-', 'COUNT', 1)[1]
return { revision(), records, found, redis.call('GET', IDENTITY), newest and newest[2][2] or '0' }
