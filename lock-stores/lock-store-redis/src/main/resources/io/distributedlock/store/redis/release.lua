-- Gives grants back.
-- KEYS: for each: record, queue, entries
-- ARGV: reservation, prefix of channels, where the id begins in a record key, then for each: attempt, 0 or how long the
-- lock stays taken
local reservation, channels, id_offset = ARGV[1], ARGV[2], ARGV[3]

local function release(k, a)
  local record = redis.pcall('GET', KEYS[k])
  if not record then return 'N' end
  if type(record) == 'table' or string.sub(record, 1, 24) ~= '1h' .. ARGV[a] then
    return unusable(record) or 'N'
  end
  if ARGV[a + 1] ~= '0' then
    redis.call('PEXPIRE', KEYS[k], ARGV[a + 1])
    redis.call('SET', KEYS[k], make_record('c', string.rep('.', 22), 0, 0, ''), 'PX', ARGV[a + 1])
    return 'F'
  end
  return pass_on(KEYS[k], KEYS[k + 1], KEYS[k + 2], reservation, channels, id_offset)
end

local answers = {}
for i = 1, #KEYS / 3 do
  answers[i] = release(3 * i - 2, 2 * i + 2)
end
return answers
