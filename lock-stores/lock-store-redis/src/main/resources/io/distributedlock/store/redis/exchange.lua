-- Gives a grant back and asks for the next one of the same instance, behind all others that wait.
-- KEYS: mark, record, queue, entries
-- ARGV: instance, life of a queue entry, reservation, prefix of channels, where the id begins in a record key,
-- attempt, then the successor's: attempt, ttl, tokens, not after, s (signal) or p (will poll)
local instance, life, reservation, channels, id_offset = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local successor, ttl, tokens = ARGV[7], ARGV[8], tonumber(ARGV[9])
local record_key, queue, entries = KEYS[2], KEYS[3], KEYS[4]

local function grant()
  local first, count, first_text, last_text = offer_tokens(tokens)
  if not first then return count end
  call('SET', record_key, '1h' .. successor .. first_text .. last_text .. instance, 'PX', ttl)
  use_tokens(count)
  return format('S%.0f,%d', first, count)
end

local function exchange()
  local record = pcall('GET', record_key)
  if type(record) ~= 'string' or not is_held_by(record, ARGV[6]) then
    local failure = record and unusable(record)
    if failure then return failure end
    -- Asked again, since the answer was lost?
    if record and is_held_by(record, successor) then
      call('PEXPIRE', record_key, ttl)
      local first, last = tonumber(sub(record, 25, 40)), tonumber(sub(record, 41, 56))
      return format('S%.0f,%d', first, math.min(tokens, last - first + 1))
    end
    local entry = pcall('HGET', entries, instance)
    if type(entry) == 'string' and sub(entry, 3, 24) == successor then
      return sub(entry, 2, 2) == 's' and 'Q1' or 'Q0'
    end
    return 'N'
  end
  local next_instance, next_attempt, failure, letter
  if sub(record, 2, 2) == 'w' then
    next_instance, next_attempt, failure, letter = next_waiter(queue, entries, instance)
  else
    -- A write that Redis permits at maxmemory; after it, SET is.
    call('PEXPIRE', record_key, ttl)
  end
  if failure then return failure end
  local late = now() > tonumber(ARGV[10])
  if not next_instance then
    if not late then return grant() end
    -- The client no longer counts on the successor: it must have nothing.
    call('DEL', record_key)
    return 'Q0'
  end
  failure = reserve(record_key, queue, entries, reservation, channels, id_offset, next_instance, next_attempt, letter)
  if failure then return failure end
  local queued = '0'
  if not late then
    queued = enqueue(queue, entries, instance, successor, ARGV[11], life) or '0'
  end
  return 'Q' .. queued
end

return { exchange() }
