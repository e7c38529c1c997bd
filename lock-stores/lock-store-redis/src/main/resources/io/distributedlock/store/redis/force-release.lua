-- Ends the grant that has a given token, tells its holder, and passes the lock on.
-- KEYS: record, queue, entries
-- ARGV: reservation, prefix of channels, where the id begins in a record key, token
local function end_shares(letter, token)
  local id_offset, found = tonumber(ARGV[3]), false
  local holders, owners = shares_of(KEYS[1], id_offset)
  drop_expired_shares(holders, owners)
  local all = call('HGETALL', owners)
  for i = 1, #all, 2 do
    if sub(all[i + 1], 1, 1) == 'h' and tonumber(sub(all[i + 1], 2, 17)) == token then
      found = true
      call('ZREM', holders, all[i])
      call('HDEL', owners, all[i])
      signal(ARGV[2] .. sub(all[i + 1], 18), 'x', all[i], KEYS[1], id_offset)
    end
  end
  if not found then return 'N' end
  if call('ZCARD', holders) == 0 then
    call('DEL', holders, owners)
    return pass_on(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], id_offset)
  end
  keep_record(KEYS[1], holders, owners)
  local _, failure = serve_sharers(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], id_offset, letter)
  return failure or 'R'
end

local function force_release()
  local record = pcall('GET', KEYS[1])
  if not record then return 'N' end
  local failure = unusable(record)
  if failure then return failure end
  local token = tonumber(ARGV[4])
  if sub(record, 2, 2) == 's' then return end_shares(sub(record, 3, 3), token) end
  if not string.find(record, '^1[hw]') or token < tonumber(sub(record, 25, 40))
      or token > tonumber(sub(record, 41, 56)) then
    return 'N'
  end
  local outcome = pass_on(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3])
  if outcome == 'R' or outcome == 'F' then
    signal(ARGV[2] .. sub(record, 57), 'x', sub(record, 3, 24), KEYS[1], ARGV[3])
  end
  return outcome
end

return { force_release() }
