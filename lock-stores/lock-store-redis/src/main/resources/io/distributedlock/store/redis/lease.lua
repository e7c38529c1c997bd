local instance, most = ARGV[1], tonumber(sub(common, 5, 8))
local life, reservation, id_offset, channels = string.match(ARGV[2], '^(%d+),(%d+),(%d+),(.*)$')
life, id_offset = tonumber(life), tonumber(id_offset)

-- Outside of a Cluster only the records are given as keys: most of the time the others are not needed.
local function queue_and_entries(k)
  if stride > 1 then return KEYS[k + 1], KEYS[k + 2] end
  local prefix, id = sub(KEYS[k], 1, id_offset - 3), sub(KEYS[k], id_offset)
  return prefix .. 'q:' .. id, prefix .. 'e:' .. id
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

-- Tried: nil if the short way did not try, else '' or what Redis said when it refused. It might permit it now, after the
-- releases, but should not.
local function acquire(k, asked, tried)
  if #asked == 24 then asked = sub(common, 9, 25) .. '00001' .. asked .. sub(common, 26) end
  local record_key, head, ttl, wanted = KEYS[k], sub(asked, 23, 46), sub(asked, 47), tonumber(sub(asked, 19, 22))
  local queue, entries = queue_and_entries(k)
  local attempt = sub(head, 3)
  -- Too late: its client has given up, or sends again.
  if now_text > sub(asked, 1, 16) then return 'L' end
  local answer, failure
  if tried then
    failure = tried ~= '' and 'E' .. tried or nil
  elseif sub(asked, 18, 18) == '0' then
    answer, failure = grant(record_key, head, ttl, wanted)
    if answer then return answer end
  end
  local record = pcall('GET', record_key)
  if not record then
    if failure then return failure end
    forget_entry(queue, entries, attempt)
    if waited_for(queue) then head = '1w' .. attempt end
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
    queued, failure = enqueue(queue, entries, instance, attempt, kind, life)
    if not queued then return failure end
    note_waiter(record_key, record)
  end
  return 'R' .. queued .. ',' .. call('PTTL', record_key) .. ',' .. sub(record, 57)
end

local function release(k, asked)
  local record = pcall('GET', KEYS[k])
  if not record then return 'N' end
  if type(record) == 'table' or not is_held_by(record, sub(asked, 3, 24)) then
    return unusable(record) or 'N'
  end
  local keep = sub(asked, 25)
  if keep ~= '' then
    call('PEXPIRE', KEYS[k], keep)
    call('SET', KEYS[k], '1c......................' .. NO_TOKENS, 'PX', keep)
    return 'F'
  end
  local queue, entries = queue_and_entries(k)
  return pass_on(KEYS[k], queue, entries, reservation, channels, id_offset)
end

for i = 1, acquires do
  local state = answers[i]
  if state ~= 'G' then
    answers[i] = acquire(stride * (i - 1) + 2, ARGV[i + 3], state ~= '' and sub(state, 2) or nil)
  end
end
for i = acquires + 1, #answers do
  if answers[i] ~= 'F' then answers[i] = release(stride * (i - 1) + 2, ARGV[i + 3]) end
end
return { now_text .. '\n' .. table.concat(answers, '\n') }
