-- Takes away whatever an attempt has: grant, reservation, place in the queue.
-- KEYS: record, queue, entries
-- ARGV: instance, reservation, prefix of channels, where the id begins in a record key, attempt
local record_key, queue, entries = KEYS[1], KEYS[2], KEYS[3]
local instance, attempt = ARGV[1], ARGV[5]

local function abandon()
  local entry = pcall('HGET', entries, instance)
  if type(entry) == 'table' then return 'E' .. entry.err end
  if entry and sub(entry, 3, 24) == attempt then
    call('HDEL', entries, instance)
    call('ZREM', queue, instance)
  end
  local fair = '=' .. attempt .. instance
  if call('ZREM', queue, fair) == 1 then call('HDEL', entries, fair) end
  local record = pcall('GET', record_key)
  if not record then return 'F' end
  local failure = unusable(record)
  if failure then return failure end
  if sub(record, 2, 2) == 's' then
    -- Readers may have waited behind it.
    local served
    served, failure = serve_sharers(record_key, queue, entries, ARGV[2], ARGV[3], tonumber(ARGV[4]), sub(record, 3, 3))
    return failure or (served and 'R' or 'F')
  end
  if sub(record, 3, 24) ~= attempt then return 'F' end
  return pass_on(record_key, queue, entries, ARGV[2], ARGV[3], ARGV[4])
end

return { abandon() }
