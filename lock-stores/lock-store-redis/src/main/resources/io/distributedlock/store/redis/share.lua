-- Asks for a share of a lock.
-- ARGV, further: * reader or + permit, how many permits there are, ttl, not after, n (do not queue), s (queue, signal) or p
-- Returns 'g' token, 1, server time; 'R' 1 if queued, remaining time, server time, instance; 'L' server time
local letter, permits, ttl, kind = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[11]

local function has_room(shared_by)
  return shared_by == letter and (letter == '*' or call('ZCARD', holders) < permits)
end

local function hold(shared_by)
  -- A write that Redis permits at maxmemory; after it, the others are.
  call('PEXPIRE', record_key, ttl)
  local token = letter == '*' and pcall('GET', KEYS[1])
  if type(token) == 'table' then return 'E' .. token.err end
  if token and (not string.find(token, '^%d+$') or #token > 16) then return 'M' end
  if not token then
    -- A permit has its own. Readers have that of the last writer; if the mark was lost, as if there had been one just now.
    local first, failure, first_text = offer_tokens(1)
    if not first then return failure end
    use_tokens(1)
    token = first_text
  end
  token = format('%016.0f', tonumber(token))
  if not shared_by then begin_sharing(record_key, holders, owners, letter, instance, ttl) end
  put_share(holders, owners, attempt, 'h', token, instance, ttl)
  keep_record(record_key, holders, owners)
  return format('g%.0f,1,%.0f', tonumber(token), now())
end

local function take_place()
  local member = (letter == '*' and '*' or '+' .. attempt) .. instance
  local queued, failure = enqueue(queue, entries, member, attempt, 's', tonumber(ARGV[2]),
    letter == '+' and ',' .. permits or '')
  return queued == '1', failure
end

local function share()
  if now() > tonumber(ARGV[10]) then return format('L%.0f', now()) end
  local record, shared_by, mine, failure = look()
  if failure then return failure end
  if mine then
    if sub(mine, 1, 1) == 'r' then return hold(shared_by) end
    put_share(holders, owners, attempt, 'h', sub(mine, 2, 17), instance, ttl)
    keep_record(record_key, holders, owners)
    return format('g%.0f,1,%.0f', tonumber(sub(mine, 2, 17)), now())
  end
  local queued = false
  if kind == 's' then
    queued, failure = take_place()
    if failure then return failure end
    if queued and record and not shared_by then
      note_waiter(record_key, record)
    elseif queued and shared_by then
      local _, trouble = serve_sharers(record_key, queue, entries, reservation, channels, id_offset, shared_by, attempt)
      if trouble then return trouble end
    elseif queued then
      local other, its_attempt, trouble, its_letter = next_waiter(queue, entries)
      if other then
        trouble = reserve(record_key, queue, entries, reservation, channels, id_offset, other, its_attempt, its_letter,
          attempt)
      end
      if trouble then return trouble end
    end
    record, shared_by, mine, failure = look()
    if failure then return failure end
    if mine then return hold(shared_by) end
  end
  if not queued and (not record or (shared_by and has_room(shared_by))) and not anybody_waits() then
    return hold(shared_by)
  end
  return format('R%s,%.0f,%.0f,%s', queued and '1' or '0', math.max(0, call('PTTL', record_key)), now(),
    record and sub(record, 57) or '')
end

return { share() }
