-- Takes the next waiter that lives and can be signalled out of the queue, and drops those before it that cannot.
-- Begins with a write that Redis permits at maxmemory. Returns instance and attempt, or nil; or nil, nil and the error.
local function next_waiter(queue, entries, skipped)
  while true do
    local head = pcall('ZPOPMIN', queue)
    if head.err then return nil, nil, 'E' .. head.err end
    local instance = head[1]
    if not instance then return nil end
    local entry = pcall('HGET', entries, instance)
    if type(entry) == 'table' then return nil, nil, 'E' .. entry.err end
    if entry then
      call('HDEL', entries, instance)
      if instance ~= skipped and sub(entry, 1, 2) == '1s' and tonumber(sub(entry, 25)) * 1000 > now() then
        return instance, sub(entry, 3, 24)
      end
    end
  end
end

-- A signal is a hint: a failure to send it is no failure of the script.
local function signal(channel, kind, attempt, record_key, id_offset)
  pcall('PUBLISH', channel, '1' .. kind .. attempt .. sub(record_key, id_offset))
end

-- Ends whatever the record says: reserves the lock for the next waiter and signals it, or frees the lock.
-- Returns 'R' reserved, 'F' free, or an error.
local function pass_on(record_key, queue, entries, reservation, channels, id_offset)
  local instance, attempt, failure = next_waiter(queue, entries)
  if failure then return failure end
  if not instance then
    call('DEL', record_key)
    return 'F'
  end
  call('SET', record_key, '1r' .. attempt .. NO_TOKENS .. instance, 'PX', reservation)
  signal(channels .. instance, 'r', attempt, record_key, id_offset)
  return 'R'
end
