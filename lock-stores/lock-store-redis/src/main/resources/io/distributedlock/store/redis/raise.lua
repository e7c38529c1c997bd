-- Redlock: writes the tokens that a quorum has agreed on into a grant of this server, and lifts the mark to them.
-- KEYS: mark, record
-- ARGV: attempt, first token (16 digits, or empty to keep it), last token (16 digits), ttl
-- It may be executed after a later renewal, and so it never shortens what is left.
-- Returns: Y, or N if the attempt does not hold the lock here
local function raise()
  local record = pcall('GET', KEYS[2])
  if not record then return 'N' end
  local failure = unusable(record)
  if failure then return failure end
  if not is_held_by(record, ARGV[1]) then return 'N' end
  local mark = pcall('GET', KEYS[1])
  if type(mark) == 'table' then return 'E' .. mark.err end
  if mark and (not string.find(mark, '^%d+$') or #mark > 16) then return 'M' end
  -- This write is permitted at maxmemory, and after it SET is.
  call('PEXPIRE', KEYS[2], math.max(tonumber(ARGV[4]), call('PTTL', KEYS[2])))
  local first = ARGV[2] ~= '' and ARGV[2] or sub(record, 25, 40)
  call('SET', KEYS[2], sub(record, 1, 24) .. first .. ARGV[3] .. sub(record, 57), 'KEEPTTL')
  if not mark or tonumber(mark) < tonumber(ARGV[3]) then call('SET', KEYS[1], ARGV[3]) end
  return 'Y'
end

return { raise() }
