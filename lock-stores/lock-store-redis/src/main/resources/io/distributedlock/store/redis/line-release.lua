-- Gives a grant back. If the next in the queue is a caller of this instance in strict order, it has the lock at once.
-- KEYS: mark, record, queue, entries
-- ARGV: instance, reservation, prefix of channels, where the id begins in a record key, attempt, ttl of the next, not after
-- Returns 'P' attempt, token; 'R' reserved, 'F' free, 'N'
local record_key, queue, entries = KEYS[2], KEYS[3], KEYS[4]
local instance, reservation, channels, id_offset = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local function release()
  local record = pcall('GET', record_key)
  if not record then return 'N' end
  local failure = unusable(record)
  if failure then return failure end
  if not is_held_by(record, ARGV[5]) then return 'N' end
  local other, attempt, trouble, letter = next_waiter(queue, entries)
  if trouble then return trouble end
  if not other then
    call('DEL', record_key)
    return 'F'
  end
  if letter == '=' and other == instance and now() <= tonumber(ARGV[7]) then
    local first, problem, first_text, last_text = offer_tokens(1)
    if not first then return problem end
    call('SET', record_key, '1w' .. attempt .. first_text .. last_text .. instance, 'PX', ARGV[6])
    use_tokens(1)
    return format('P%s,%.0f', attempt, first)
  end
  return reserve(record_key, queue, entries, reservation, channels, id_offset, other, attempt, letter) or 'R'
end

return { release() }
