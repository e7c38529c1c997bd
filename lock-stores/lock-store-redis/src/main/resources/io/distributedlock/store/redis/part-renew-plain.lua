-- Keeps grants alive; never makes one.
-- KEYS: for each: record
-- ARGV: for each: attempt (22), + if what is left may not become shorter, ttl
-- Returns lines, one for each.
local call, pcall, sub = redis.call, redis.pcall, string.sub
local answers, left = {}, false
for i = 1, #KEYS do
  local record = pcall('GET', KEYS[i])
  if type(record) == 'string' and sub(record, 3, 24) == sub(ARGV[i], 1, 22) and string.find(record, '^1[hw]') then
    local ttl = sub(ARGV[i], 23)
    if sub(ttl, 1, 1) == '+' then ttl = math.max(tonumber(ttl), call('PTTL', KEYS[i])) end
    call('PEXPIRE', KEYS[i], ttl)
    answers[i] = 'Y'
  else
    answers[i] = false
    left = true
  end
end
if not left then return { table.concat(answers, '\n') } end
