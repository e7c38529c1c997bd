-- Puts an attempt into the queue, or refreshes the place that a member has there. A refresh begins with a write that Redis permits at maxmemory; a new
-- entry may be refused there, and its owner polls. Returns '1' if it has a place and will be signalled, '0' if not, or
-- nil and the error.
local function enqueue(queue, entries, instance, attempt, kind, life, permits)
  local known = pcall('HGET', entries, instance)
  if type(known) == 'table' then return nil, 'E' .. known.err end
  if known then
    call('PEXPIRE', queue, 2 * life)
    call('PEXPIRE', entries, 2 * life)
  end
  local score = now()
  if permits and not known then
    -- Several may come in one command, which have one time.
    local last = pcall('ZRANGE', queue, -1, -1, 'WITHSCORES')
    if not last.err and last[2] then score = math.max(score, tonumber(last[2]) + 1) end
  end
  local added = pcall('ZADD', queue, 'NX', format('%.0f', score), instance)
  if type(added) == 'table' then
    if string.find(added.err, 'OOM') then return '0' end
    return nil, 'E' .. added.err
  end
  call('HSET', entries, instance, format('1%s%s%.0f%s', kind, attempt, math.floor(now() / 1000) + life, permits or ''))
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
