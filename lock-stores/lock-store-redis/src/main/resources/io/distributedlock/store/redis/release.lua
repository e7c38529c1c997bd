-- Gives grants back.
-- KEYS: for each: record, queue, entries
-- ARGV: reservation, prefix of channels, where the id begins in a record key, then for each: attempt (22), 0 or how
-- long the lock stays taken
local reservation, channels, id_offset = ARGV[1], ARGV[2], ARGV[3]

local function release(k, asked)
  local record = pcall('GET', KEYS[k])
  if not record then return 'N' end
  if type(record) == 'table' or sub(record, 1, 24) ~= '1h' .. sub(asked, 1, 22) then
    return unusable(record) or 'N'
  end
  local keep = sub(asked, 23)
  if keep ~= '0' then
    call('PEXPIRE', KEYS[k], keep)
    call('SET', KEYS[k], '1c......................' .. NO_TOKENS, 'PX', keep)
    return 'F'
  end
  return pass_on(KEYS[k], KEYS[k + 1], KEYS[k + 2], reservation, channels, id_offset)
end

local answers = {}
for i = 1, #KEYS / 3 do
  answers[i] = release(3 * i - 2, ARGV[i + 3])
end
return answers
