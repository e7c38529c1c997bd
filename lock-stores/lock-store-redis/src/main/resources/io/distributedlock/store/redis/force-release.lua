-- Ends the grant that has a given token, tells its holder, and passes the lock on.
-- KEYS: record, queue, entries
-- ARGV: reservation, prefix of channels, where the id begins in a record key, token
local function force_release()
  local record = pcall('GET', KEYS[1])
  if not record then return 'N' end
  local failure = unusable(record)
  if failure then return failure end
  local token = tonumber(ARGV[4])
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
