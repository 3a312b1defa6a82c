-- Commits if nothing that was read has changed. Returns 'again' and what the request id came to before; or 'changed'; or
-- 'done', the outcome and the revision.
local ask = cjson.decode(ARGV[1])
local request = base .. ':request:' .. ask.request
local first = redis.call('GET', request)
if first then return { 'again', first, 0 } end

if redis.call('GET', IDENTITY) ~= ask.identity then return { 'changed', '', 0 } end
for _, was in ipairs(ask.records) do
  if redis.call('HGET', record(was[1]), was[2]) ~= was[3] then return { 'changed', '', 0 } end
end
for _, was in ipairs(ask.found) do
  local members = redis.call('SMEMBERS', index(was[1], was[2]))
  table.sort(members)
  if table.concat(members, ' ') ~= was[3] then return { 'changed', '', 0 } end
end

-- The number of the first entry, and the revision before it, stand for themselves in what is written.
local now = revision()
local function numbered(text)
  return (text:gsub(ask.next, whole(now + 1)):gsub(ask.now, whole(now)))
end
local outcome = numbered(ask.outcome)
for _, write in ipairs(ask.writes) do
  local kind, name, body, left, joined = unpack(write)
  if body then
    redis.call('HSET', record(kind), name, numbered(body))
  else
    redis.call('HDEL', record(kind), name)
  end
  for _, link in ipairs(left) do redis.call('SREM', index(link[1], link[2]), name) end
  for _, link in ipairs(joined) do redis.call('SADD', index(link[1], link[2]), name) end
end
for _, entry in ipairs(ask.entries) do
  local id = whole(redis.call('INCR', REVISION)) .. '-0'
  redis.call('XADD', JOURNAL, id, 'at', entry[1], 'entry', numbered(entry[2]))
end
if not version then redis.call('SET', base .. ':version', VERSION) end
if not ask.identity and #ask.writes + #ask.entries > 0 then redis.call('SET', IDENTITY, ask.fresh) end
if type(ask.remember) == 'number' then redis.call('SET', request, outcome, 'EX', ask.remember) end
return { 'done', outcome, revision() }
