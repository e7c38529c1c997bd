-- Keeps shares alive; never makes one.
-- KEYS: mark, then for each: record, shares' ends, shares' owners
-- ARGV: for each: attempt (22), ttl
-- Returns lines, one for each.
local function renew(k, attempt, ttl)
  local record = pcall('GET', KEYS[k])
  if not record then return 'N' end
  local failure = unusable(record)
  if failure then return failure end
  if sub(record, 2, 2) ~= 's' then return 'N' end
  local ends, mine = call('ZSCORE', KEYS[k + 1], attempt), call('HGET', KEYS[k + 2], attempt)
  if not ends or tonumber(ends) <= now_millis() or not mine or sub(mine, 1, 1) ~= 'h' then return 'N' end
  call('PEXPIRE', KEYS[k], ttl)
  call('ZADD', KEYS[k + 1], format('%.0f', now_millis() + 1 + ttl), attempt)
  keep_record(KEYS[k], KEYS[k + 1], KEYS[k + 2])
  return 'Y'
end

local answers = {}
for i = 1, #ARGV do
  answers[i] = renew(3 * i - 1, sub(ARGV[i], 1, 22), tonumber(sub(ARGV[i], 23)))
end
return { table.concat(answers, '\n') }
