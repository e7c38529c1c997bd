-- Asks for grants: first try, re-check, claim of a reservation and repetition are all the same question.
-- KEYS: mark, then for each: record, queue, entries
-- ARGV: instance, life of a queue entry, tokens wanted by all, then one for each, since arguments are what costs most:
-- attempt (22), n (do not queue), s (queue, signal) or p (queue, will poll), 1 if the attempt was sent before, else 0,
-- not after (16, server time in microseconds), tokens (4), ttl
local instance, life, ahead = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function granted(first, count, first_text)
  if first == now() then return 'G' .. first_text .. ',' .. count .. ',' end
  return 'G' .. first_text .. ',' .. count .. ',' .. format('%.0f', now())
end

local function forget_entry(queue, entries, attempt)
  local entry = pcall('HGET', entries, instance)
  if type(entry) == 'string' and sub(entry, 3, 24) == attempt then
    call('HDEL', entries, instance)
    call('ZREM', queue, instance)
  end
end

-- Grants the lock if there is no record, or in place of the reservation. Returns nil if there is a record, and the error
-- if that could not be found out: at maxmemory Redis refuses the command whether there is one or not.
local function grant(record_key, attempt, ttl, wanted, reserved)
  local first, count, first_text, last_text = offer_tokens(wanted)
  if not first then return count end
  local record = '1h' .. attempt .. first_text .. last_text .. instance
  local set
  if reserved then
    set = pcall('SET', record_key, record, 'PX', ttl)
  else
    set = pcall('SET', record_key, record, 'PX', ttl, 'NX')
    if not set then return nil end
  end
  if set.err then return nil, 'E' .. set.err end
  use_tokens(first, count, ahead)
  return granted(first, count, first_text)
end

local function acquire(k, asked)
  local record_key, attempt, ttl, wanted = KEYS[k], sub(asked, 1, 22), sub(asked, 45), tonumber(sub(asked, 41, 44))
  ahead = ahead - wanted
  -- Too late: its client has given up, or sends again.
  if now() > tonumber(sub(asked, 25, 40)) then return format('L%.0f', now()) end
  local answer, failure
  if sub(asked, 24, 24) == '0' then
    answer, failure = grant(record_key, attempt, ttl, wanted)
    if answer then return answer end
  end
  local record = pcall('GET', record_key)
  if not record then
    if failure then return failure end
    forget_entry(KEYS[k + 1], KEYS[k + 2], attempt)
    answer, failure = grant(record_key, attempt, ttl, wanted)
    return answer or failure
  end
  failure = unusable(record)
  if failure then return failure end
  if sub(record, 3, 24) == attempt then
    local kind = sub(record, 2, 2)
    if kind == 'h' then
      call('PEXPIRE', record_key, ttl)
      local first_text = sub(record, 25, 40)
      local first, last = tonumber(first_text), tonumber(sub(record, 41, 56))
      return granted(first, math.min(wanted, last - first + 1), first_text)
    elseif kind == 'r' then
      -- A claim must succeed at maxmemory: this write is permitted there, and after it SET is.
      call('PEXPIRE', record_key, call('PTTL', record_key))
      answer, failure = grant(record_key, attempt, ttl, wanted, true)
      return answer or failure
    end
  end
  local queued, kind = '0', sub(asked, 23, 23)
  if kind ~= 'n' then
    queued, failure = enqueue(KEYS[k + 1], KEYS[k + 2], instance, attempt, kind, life)
    if not queued then return failure end
  end
  return format('R%s,%d,%.0f,%s', queued, call('PTTL', record_key), now(), sub(record, 57))
end

local answers = {}
for i = 1, (#KEYS - 1) / 3 do
  answers[i] = acquire(3 * i - 1, ARGV[i + 3])
end
return answers
