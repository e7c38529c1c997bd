-- Takes the next waiter that lives and can be signalled out of the queue, and drops those before it that cannot.
-- Begins with a write that Redis permits at maxmemory. Returns instance and attempt, or nil; or nil, nil and the error.
local function next_waiter(queue, entries, skipped)
  while true do
    local head = redis.pcall('ZPOPMIN', queue)
    if head.err then return nil, nil, 'E' .. head.err end
    local instance = head[1]
    if not instance then return nil end
    local entry = redis.pcall('HGET', entries, instance)
    if type(entry) == 'table' then return nil, nil, 'E' .. entry.err end
    if entry then
      redis.call('HDEL', entries, instance)
      if instance ~= skipped and string.sub(entry, 1, 2) == '1s' and tonumber(string.sub(entry, 25)) * 1000 > now() then
        return instance, string.sub(entry, 3, 24)
      end
    end
  end
end

-- A signal is a hint: a failure to send it is no failure of the script.
local function signal(channel, kind, attempt, record_key, id_offset)
  redis.pcall('PUBLISH', channel, '1' .. kind .. attempt .. string.sub(record_key, id_offset))
end

-- Ends whatever the record says: reserves the lock for the next waiter and signals it, or frees the lock.
-- Returns 'R' reserved, 'F' free, or an error.
local function pass_on(record_key, queue, entries, reservation, channels, id_offset)
  local instance, attempt, failure = next_waiter(queue, entries)
  if failure then return failure end
  if not instance then
    redis.call('DEL', record_key)
    return 'F'
  end
  redis.call('SET', record_key, make_record('r', attempt, 0, 0, instance), 'PX', reservation)
  signal(channels .. instance, 'r', attempt, record_key, id_offset)
  return 'R'
end
