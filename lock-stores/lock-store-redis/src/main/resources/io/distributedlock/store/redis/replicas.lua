-- Says how many replicas have to have a grant where all are demanded, and keeps the number in Redis, where all instances and
-- the next primary find it. Runs behind the script that grants, on the same connection; WAIT follows, and covers what this
-- writes.
-- KEYS: where the number is kept: replication id, number, when it was written (seconds), with commas between. Anything else
-- means that an operator has reset it.
-- ARGV: how many this instance needed last here; counts only if Redis knows nothing
-- Returns: how many
local info = redis.pcall('INFO', 'replication')
if type(info) == 'table' then
  -- In a script Redis does not name the command.
  if string.find(info.err, 'NOPERM') or string.find(info.err, "can't run this command") then
    return redis.error_reply("NOPERM this user has no permissions to run the 'info' command")
  end
  return info
end
-- WAIT would be refused, and the number of an old primary's replica is nobody's.
if not string.find(info, 'role:master') then
  return redis.error_reply('READONLY This server is a replica now')
end
local online = 0
for _ in string.gmatch(info, '\nslave%d+:[^\n]*state=online') do online = online + 1 end
local id = string.match(info, 'master_replid:(%x+)')
local before = string.match(info, 'master_replid2:(%x+)')
local time = tonumber(redis.call('TIME')[1])
local known = redis.call('GET', KEYS[1])
local last_id, last, written = string.match(known or '', '^(%x+),(%d+),(%d+)$')

-- A primary that was shut down and started again also tells of the id before, and needs all its replicas all the same.
local function runs_since_then()
  local server = redis.call('INFO', 'server')
  local now, uptime = string.match(server, 'server_time_usec:(%d+)'), string.match(server, 'uptime_in_seconds:(%d+)')
  return now and uptime and math.floor(now / 1000000) - uptime < tonumber(written)
end

local needed = known and 1 or tonumber(ARGV[1])
if last then
  needed = tonumber(last)
  -- A failover: it was one of them.
  if last_id ~= id and last_id == before and runs_since_then() then needed = needed - 1 end
end
needed = math.max(1, needed, online)
-- Written again now and then, so that a replica that was started meanwhile is known to have run since.
if last_id ~= id or tonumber(last) ~= needed or (online >= needed and math.abs(time - written) > 60) then
  -- A write that Redis permits at maxmemory; after it, SET is.
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[1], id .. ',' .. needed .. ',' .. time)
end
return needed
