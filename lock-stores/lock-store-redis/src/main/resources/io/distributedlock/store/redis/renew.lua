-- Keeps grants alive; never makes one.
-- KEYS: for each: record
-- ARGV: for each: attempt, ttl
local answers = {}
for i = 1, #KEYS do
  local record = pcall('GET', KEYS[i])
  if type(record) == 'string' and sub(record, 1, 24) == '1h' .. ARGV[2 * i - 1] then
    call('PEXPIRE', KEYS[i], ARGV[2 * i])
    answers[i] = 'Y'
  else
    answers[i] = record and unusable(record) or 'N'
  end
end
return answers
