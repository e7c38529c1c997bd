local reservation, channels, id_offset = ARGV[1], ARGV[2], ARGV[3]

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
  return pass_on(KEYS[k], KEYS[k + 1], KEYS[k + 2], reservation, channels, id_offset)
end

for i = 4, #ARGV do
  if not answers[i - 3] then answers[i - 3] = release(3 * i - 11, ARGV[i]) end
end
return { table.concat(answers, '\n') }
