-- Asks for grants: first try, re-check, claim of a reservation and repetition are all the same question.
-- KEYS: mark, then for each: record, queue, entries
-- ARGV: instance, life of a queue entry, tokens wanted by all, then for each: attempt, ttl, tokens, not after (server
-- time in microseconds), n (do not queue), s (queue, signal) or p (queue, will poll), and 1 if it was asked before
local instance, life, ahead = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function time_if_not(token)
  return now() == token and '' or string.format('%.0f', now())
end

local function grant(record_key, attempt, ttl, wanted)
  local first, count = take_tokens(wanted, ahead)
  if not first then return count end
  redis.call('SET', record_key, make_record('h', attempt, first, first + count - 1, instance), 'PX', ttl)
  return string.format('G%.0f,%d,%s', first, count, time_if_not(first))
end

local function forget_entry(queue, entries, attempt)
  local entry = redis.pcall('HGET', entries, instance)
  if type(entry) == 'string' and string.sub(entry, 3, 24) == attempt then
    redis.call('HDEL', entries, instance)
    redis.call('ZREM', queue, instance)
  end
end

local function acquire(k, a)
  local record_key, attempt, ttl, wanted = KEYS[k], ARGV[a], ARGV[a + 1], tonumber(ARGV[a + 2])
  ahead = ahead - wanted
  -- Too late: its client has given up, or sends again.
  if now() > tonumber(ARGV[a + 3]) then return string.format('L%.0f', now()) end
  local record = redis.pcall('GET', record_key)
  if not record then
    if ARGV[a + 5] == '1' then forget_entry(KEYS[k + 1], KEYS[k + 2], attempt) end
    return grant(record_key, attempt, ttl, wanted)
  end
  local failure = unusable(record)
  if failure then return failure end
  local kind = string.sub(record, 2, 2)
  if string.sub(record, 3, 24) == attempt then
    if kind == 'h' then
      redis.call('PEXPIRE', record_key, ttl)
      local first = tonumber(string.sub(record, 25, 40))
      local count = math.min(wanted, tonumber(string.sub(record, 41, 56)) - first + 1)
      return string.format('G%.0f,%d,%s', first, count, time_if_not(first))
    elseif kind == 'r' then
      -- A claim must succeed at maxmemory: this write is permitted there, and after it SET is.
      redis.call('PEXPIRE', record_key, redis.call('PTTL', record_key))
      return grant(record_key, attempt, ttl, wanted)
    end
  end
  local queued = '0'
  if ARGV[a + 4] ~= 'n' then
    queued, failure = enqueue(KEYS[k + 1], KEYS[k + 2], instance, attempt, ARGV[a + 4], life)
    if not queued then return failure end
  end
  return string.format('R%s,%d,%.0f,%s', queued, redis.call('PTTL', record_key), now(), string.sub(record, 57))
end

local answers = {}
for i = 1, (#KEYS - 1) / 3 do
  answers[i] = acquire(3 * i - 1, 6 * i - 2)
end
return answers
