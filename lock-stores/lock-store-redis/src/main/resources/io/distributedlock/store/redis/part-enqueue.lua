-- Puts an attempt into the queue, or refreshes its instance's place there. An entry: version, kind (s can be signalled,
-- p polls), attempt (22), expiry in milliseconds. A refresh begins with a write that Redis permits at maxmemory; a new
-- entry may be refused there, and its owner polls. Returns '1' if it has a place and will be signalled, '0' if not, or
-- nil and the error.
local function enqueue(queue, entries, instance, attempt, kind, life)
  local known = pcall('HGET', entries, instance)
  if type(known) == 'table' then return nil, 'E' .. known.err end
  if known then
    call('PEXPIRE', queue, 2 * life)
    call('PEXPIRE', entries, 2 * life)
  end
  local added = pcall('ZADD', queue, 'NX', format('%.0f', now()), instance)
  if type(added) == 'table' then
    if string.find(added.err, 'OOM') then return '0' end
    return nil, 'E' .. added.err
  end
  call('HSET', entries, instance, format('1%s%s%.0f', kind, attempt, math.floor(now() / 1000) + life))
  if not known then
    call('PEXPIRE', queue, 2 * life)
    call('PEXPIRE', entries, 2 * life)
  end
  return kind == 's' and '1' or '0'
end

-- Lets the holder's release know that somebody queues. Where Redis refuses it for memory, nobody could queue either.
local function note_waiter(record_key, record)
  if sub(record, 2, 2) == 'h' then pcall('SET', record_key, '1w' .. sub(record, 3), 'KEEPTTL') end
end

local function waited_for(queue)
  local head = pcall('ZRANGE', queue, 0, 0)
  return not head.err and #head > 0
end
