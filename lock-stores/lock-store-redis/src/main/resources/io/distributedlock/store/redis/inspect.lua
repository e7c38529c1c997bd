-- Tells what is known of one lock. Changes nothing.
-- KEYS: record, queue, entries, shares' ends, shares' owners
-- ARGV: how many waiters to tell of
-- Returns: error or '', record or '', its remaining time, server time, how many shares there are, for each of them: end,
-- what it is; then for each waiter: member, arrival, entry
local record = pcall('GET', KEYS[1])
if record then
  local failure = unusable(record)
  if failure then return { failure } end
end
local waiters = pcall('ZRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
if waiters.err then return { 'E' .. waiters.err } end
local answer = { '', record or '', tostring(call('PTTL', KEYS[1])), format('%.0f', now()) }
local shares = record and sub(record, 2, 2) == 's' and call('ZRANGE', KEYS[4], 0, -1, 'WITHSCORES') or {}
answer[5] = tostring(#shares / 2)
for i = 1, #shares, 2 do
  answer[#answer + 1] = shares[i + 1]
  answer[#answer + 1] = call('HGET', KEYS[5], shares[i]) or ''
end
for i = 1, #waiters, 2 do
  local entry = pcall('HGET', KEYS[3], waiters[i])
  if type(entry) == 'table' then return { 'E' .. entry.err } end
  answer[#answer + 1] = waiters[i]
  answer[#answer + 1] = waiters[i + 1]
  answer[#answer + 1] = entry or ''
end
return answer
