-- What the scripts for shares have in common.
-- KEYS: mark, record, queue, entries, shares' ends, shares' owners
-- ARGV: instance, life of a queue entry, reservation, prefix of channels, where the id begins in a record key, attempt
local record_key, queue, entries, holders, owners = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local instance, reservation, channels, id_offset, attempt = ARGV[1], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]

-- Reads the record, and drops shares that have expired. Returns the record, the letter of those that share it or nil, what
-- this attempt has of it or nil; or nil, nil, nil and the error.
local function look()
  local record = pcall('GET', record_key)
  if not record then return nil end
  local failure = unusable(record)
  if failure then return nil, nil, nil, failure end
  if sub(record, 2, 2) ~= 's' then return record end
  drop_expired_shares(holders, owners)
  if call('ZCARD', holders) == 0 then
    call('DEL', record_key)
    return nil
  end
  return record, sub(record, 3, 3), call('HGET', owners, attempt) or nil
end

-- A share was taken away. Returns 'R' if others have their turn now, 'F' if not, or the error.
local function after_leaving(letter)
  if call('ZCARD', holders) == 0 then
    call('DEL', holders, owners)
    return pass_on(record_key, queue, entries, reservation, channels, id_offset)
  end
  keep_record(record_key, holders, owners)
  local served, failure = serve_sharers(record_key, queue, entries, reservation, channels, id_offset, letter)
  return failure or (served and 'R' or 'F')
end

-- Drops dead entries at the head. Returns whether anybody waits.
local function anybody_waits()
  while true do
    local member = call('ZRANGE', queue, 0, 0)[1]
    if not member then return false end
    local entry = call('HGET', entries, member)
    if entry and (sub(entry, 1, 1) ~= '1' or tonumber(string.match(entry, '^%d+', 25)) * 1000 > now()) then return true end
    call('ZREM', queue, member)
    call('HDEL', entries, member)
  end
end
