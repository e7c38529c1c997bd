-- Whose place a member of the queue is. A JVM whose callers want to be alone has its instance there. The other members
-- begin with a letter that no instance has: * readers of a JVM, = a caller in strict order, + a caller for a permit; the
-- last two go on with the attempt (22). Returns the instance and the letter, '' for the first kind.
local function place_of(member)
  local letter = sub(member, 1, 1)
  if letter == '*' then return sub(member, 2), letter end
  if letter == '=' or letter == '+' then return sub(member, 24), letter end
  return member, ''
end

-- An entry: version, kind (s can be signalled, p polls), attempt (22), expiry in milliseconds, for a permit a comma and how
-- many there are.
local function lives(entry)
  return sub(entry, 1, 2) == '1s' and tonumber(string.match(entry, '^%d+', 25)) * 1000 > now()
end

local function permits_of(entry)
  return tonumber(string.match(entry, ',(%d+)$') or 0)
end

-- Takes the next waiter that lives and can be signalled out of the queue, and drops those before it that cannot.
-- Begins with a write that Redis permits at maxmemory. Returns instance, attempt, nil, letter and permits; or nil; or nil,
-- nil and the error.
local function next_waiter(queue, entries, skipped)
  while true do
    local head = pcall('ZPOPMIN', queue)
    if head.err then return nil, nil, 'E' .. head.err end
    local member = head[1]
    if not member then return nil end
    local entry = pcall('HGET', entries, member)
    if type(entry) == 'table' then return nil, nil, 'E' .. entry.err end
    if entry then
      call('HDEL', entries, member)
      if member ~= skipped and lives(entry) then
        local instance, letter = place_of(member)
        return instance, sub(entry, 3, 24), nil, letter, permits_of(entry)
      end
    end
  end
end

-- A signal is a hint: a failure to send it is no failure of the script.
local function signal(channel, kind, attempt, record_key, id_offset)
  pcall('PUBLISH', channel, '1' .. kind .. attempt .. sub(record_key, id_offset))
end

-- Where the shares of a lock are: how long each lasts (a sorted set of attempts), and what it is (a hash: state h held, r
-- reserved or c cooling, token (16), instance). They count only while the record says that the lock is shared.
local function shares_of(record_key, id_offset)
  local prefix, id = sub(record_key, 1, id_offset - 3), sub(record_key, id_offset)
  return prefix .. 'h:' .. id, prefix .. 'o:' .. id
end

local function now_millis()
  return math.floor(now() / 1000)
end

local function begin_sharing(record_key, holders, owners, letter, instance, life)
  call('DEL', holders, owners)
  call('SET', record_key, '1s' .. letter .. '.....................' .. NO_TOKENS .. instance, 'PX', life)
end

local function put_share(holders, owners, attempt, state, token, instance, life)
  call('ZADD', holders, format('%.0f', now_millis() + 1 + life), attempt)
  call('HSET', owners, attempt, state .. token .. instance)
end

-- The record lives as long as the longest share.
local function keep_record(record_key, holders, owners)
  local last = call('ZRANGE', holders, -1, -1, 'WITHSCORES')
  local left = tonumber(last[2]) - now_millis()
  call('PEXPIRE', record_key, left)
  call('PEXPIRE', holders, left + 1000)
  call('PEXPIRE', owners, left + 1000)
end

local function drop_expired_shares(holders, owners)
  local gone = call('ZRANGE', holders, '-inf', format('%.0f', now_millis()), 'BYSCORE')
  for _, attempt in ipairs(gone) do
    call('ZREM', holders, attempt)
    call('HDEL', owners, attempt)
  end
end

-- Reserves shares for all at the front of the queue that can share a lock that is shared already. Returns whether there was
-- any, or nil and the error. 'Silent' is an attempt that needs no signal.
local function serve_sharers(record_key, queue, entries, reservation, channels, id_offset, letter, silent)
  local holders, owners = shares_of(record_key, id_offset)
  local served = false
  while true do
    local head = pcall('ZRANGE', queue, 0, 0)
    if head.err then return nil, 'E' .. head.err end
    local member = head[1]
    if not member then return served end
    local entry = pcall('HGET', entries, member)
    if type(entry) == 'table' then return nil, 'E' .. entry.err end
    local alive = entry and lives(entry)
    if alive then
      local instance, wanted = place_of(member)
      if wanted ~= letter or (letter == '+' and call('ZCARD', holders) >= permits_of(entry)) then return served end
      local attempt = sub(entry, 3, 24)
      put_share(holders, owners, attempt, 'r', '0000000000000000', instance, tonumber(reservation))
      keep_record(record_key, holders, owners)
      if attempt ~= silent then signal(channels .. instance, 'r', attempt, record_key, id_offset) end
      served = true
    end
    call('ZREM', queue, member)
    call('HDEL', entries, member)
  end
end

-- Reserves a lock that is free for a waiter that was taken out of the queue, and if that one shares, for all that follow and
-- can. Returns the error if there is one.
local function reserve(record_key, queue, entries, reservation, channels, id_offset, instance, attempt, letter, silent)
  if letter == '*' or letter == '+' then
    local holders, owners = shares_of(record_key, id_offset)
    begin_sharing(record_key, holders, owners, letter, instance, reservation)
    put_share(holders, owners, attempt, 'r', '0000000000000000', instance, tonumber(reservation))
    keep_record(record_key, holders, owners)
  else
    call('SET', record_key, '1r' .. attempt .. NO_TOKENS .. instance, 'PX', reservation)
  end
  if attempt ~= silent then signal(channels .. instance, 'r', attempt, record_key, id_offset) end
  if letter == '*' or letter == '+' then
    local _, failure = serve_sharers(record_key, queue, entries, reservation, channels, id_offset, letter, silent)
    return failure
  end
end

-- Ends whatever the record says: reserves the lock for the next waiter and signals it, or frees the lock.
-- Returns 'R' reserved, 'F' free, or an error.
local function pass_on(record_key, queue, entries, reservation, channels, id_offset)
  local instance, attempt, failure, letter = next_waiter(queue, entries)
  if failure then return failure end
  if not instance then
    call('DEL', record_key)
    return 'F'
  end
  return reserve(record_key, queue, entries, reservation, channels, id_offset, instance, attempt, letter) or 'R'
end
