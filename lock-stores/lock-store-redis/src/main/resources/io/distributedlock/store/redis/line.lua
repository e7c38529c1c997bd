-- Asks for a lock for several callers of this instance in strict order, and releases for them.
-- KEYS: mark, record, queue, entries
-- ARGV: instance, life of a queue entry, reservation, prefix of channels, where the id begins in a record key,
-- s (queue, signal) or p, not after, then for each caller: attempt, ttl
-- Returns 'L' server time; or lines, the server's time first, then for each: 'g' token; 'R' 1 if queued, remaining time,
-- instance
local record_key, queue, entries = KEYS[2], KEYS[3], KEYS[4]
local instance, reservation, channels, id_offset = ARGV[1], ARGV[3], ARGV[4], tonumber(ARGV[5])
local queues = ARGV[6] == 's'

local function grant(attempt, ttl)
  local first, failure, first_text, last_text = offer_tokens(1)
  if not first then return nil, failure end
  -- Others may be behind: the release looks for them.
  local set = pcall('SET', record_key, '1w' .. attempt .. first_text .. last_text .. instance, 'PX', ttl)
  if set.err then return nil, 'E' .. set.err end
  use_tokens(1)
  return format('g%.0f', first)
end

local function line()
  if now() > tonumber(ARGV[7]) then return format('L%.0f', now()) end
  local record = pcall('GET', record_key)
  local failure = record and unusable(record)
  if failure then return failure end
  local has = record and string.find(record, '^1[hwr]') and sub(record, 3, 24) or ''
  local answers, wanted, placed, queued = {}, {}, {}, false
  for i = 8, #ARGV, 2 do
    local attempt, ttl = ARGV[i], ARGV[i + 1]
    wanted[attempt] = ttl
    if attempt ~= has and queues then
      local place
      place, failure = enqueue(queue, entries, '=' .. attempt .. instance, attempt, 's', tonumber(ARGV[2]), '')
      if not place then return failure end
      placed[attempt] = place
      queued = queued or place == '1'
    end
  end
  if wanted[has] then
    if sub(record, 2, 2) == 'r' then
      -- A claim must succeed at maxmemory: this write is permitted there, and after it SET is.
      call('PEXPIRE', record_key, wanted[has])
      answers[has], failure = grant(has, wanted[has])
      if failure then return failure end
    else
      call('PEXPIRE', record_key, wanted[has])
      if queued then note_waiter(record_key, record) end
      answers[has] = format('g%.0f', tonumber(sub(record, 25, 40)))
    end
  elseif record then
    if queued then note_waiter(record_key, record) end
    if sub(record, 2, 2) == 's' then
      -- Sharers at the front may have room.
      local holders, owners = shares_of(record_key, id_offset)
      drop_expired_shares(holders, owners)
    end
  elseif waited_for(queue) then
    local other, attempt, trouble, letter = next_waiter(queue, entries)
    if trouble then return trouble end
    if other and letter == '=' and wanted[attempt] then
      answers[attempt], failure = grant(attempt, wanted[attempt])
      if failure then return failure end
    elseif other then
      failure = reserve(record_key, queue, entries, reservation, channels, id_offset, other, attempt, letter)
      if failure then return failure end
    end
  else
    -- Also if Redis has no memory for a place in the queue, and then says so once more.
    answers[ARGV[8]], failure = grant(ARGV[8], ARGV[9])
    if failure then return failure end
  end
  local lines = { format('%.0f', now()) }
  record = pcall('GET', record_key)
  for i = 8, #ARGV, 2 do
    lines[#lines + 1] = answers[ARGV[i]] or format('R%s,%.0f,%s', placed[ARGV[i]] or '0',
      math.max(0, call('PTTL', record_key)), record and sub(record, 57) or '')
  end
  return table.concat(lines, '\n')
end

return { line() }
