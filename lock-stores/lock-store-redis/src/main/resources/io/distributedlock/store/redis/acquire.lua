local instance, life, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function forget_entry(queue, entries, attempt)
  local entry = pcall('HGET', entries, instance)
  if type(entry) == 'string' and sub(entry, 3, 24) == attempt then
    call('HDEL', entries, instance)
    call('ZREM', queue, instance)
  end
end

-- Grants the lock if there is no record, or in place of the reservation. Returns nil if there is a record, and the error
-- if that could not be found out: at maxmemory Redis refuses the command whether there is one or not.
local function grant(record_key, head, ttl, wanted, reserved)
  local first, count, first_text, last_text = offer_tokens(wanted)
  if not first then return count end
  local record = head .. first_text .. last_text .. instance
  local set
  if reserved then
    set = pcall('SET', record_key, record, 'PX', ttl)
  else
    set = pcall('SET', record_key, record, 'PX', ttl, 'NX')
    if not set then return nil end
  end
  if set.err then return nil, 'E' .. set.err end
  use_tokens(most)
  return 'g' .. first_text .. ',' .. count
end

local function acquire(k, asked, tried)
  local record_key, head, ttl, wanted = KEYS[k], sub(asked, 23, 46), sub(asked, 47), tonumber(sub(asked, 19, 22))
  local attempt = sub(head, 3)
  -- Too late: its client has given up, or sends again.
  if now_text > sub(asked, 1, 16) then return 'L' end
  local answer, failure
  if not tried and sub(asked, 18, 18) == '0' then
    answer, failure = grant(record_key, head, ttl, wanted)
    if answer then return answer end
  end
  local record = pcall('GET', record_key)
  if not record then
    if failure then return failure end
    forget_entry(KEYS[k + 1], KEYS[k + 2], attempt)
    if waited_for(KEYS[k + 1]) then head = '1w' .. attempt end
    answer, failure = grant(record_key, head, ttl, wanted)
    return answer or failure
  end
  failure = unusable(record)
  if failure then return failure end
  if sub(record, 3, 24) == attempt then
    local kind = sub(record, 2, 2)
    if kind == 'h' or kind == 'w' then
      call('PEXPIRE', record_key, ttl)
      local first_text = sub(record, 25, 40)
      return 'g' .. first_text .. ',' .. math.min(wanted, sub(record, 41, 56) - first_text + 1)
    elseif kind == 'r' then
      local offered
      offered, failure = offer_tokens(wanted)
      if not offered then return failure end
      -- A claim must succeed at maxmemory: this write is permitted there, and after it SET is.
      call('PEXPIRE', record_key, ttl)
      -- Whether others wait behind is not worth a look: the release will see.
      answer, failure = grant(record_key, '1w' .. attempt, ttl, wanted, true)
      return answer or failure
    end
  end
  local queued, kind = '0', sub(asked, 17, 17)
  if kind ~= 'n' then
    queued, failure = enqueue(KEYS[k + 1], KEYS[k + 2], instance, attempt, kind, life)
    if not queued then return failure end
    note_waiter(record_key, record)
  end
  return 'R' .. queued .. ',' .. call('PTTL', record_key) .. ',' .. sub(record, 57)
end

for i = 5, #ARGV do
  if not answers[i - 4] then answers[i - 4] = acquire(3 * i - 13, ARGV[i], answers[i - 4] == false) end
end
return { now_text .. '\n' .. table.concat(answers, '\n') }
