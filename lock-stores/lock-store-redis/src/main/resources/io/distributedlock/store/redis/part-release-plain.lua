-- Gives grants back.
-- KEYS: for each: record, queue, entries
-- ARGV: reservation, prefix of channels, where the id begins in a record key, then for each: record of its holder up to
-- the attempt (24), and how long the lock stays taken if it does
-- Returns lines, one for each.
--
-- The short way: nobody waits. It has no functions, see part-acquire-free. The error of one must not keep those behind it from
-- being answered.
local call, pcall, sub = redis.call, redis.pcall, string.sub
local answers, left = {}, false
for i = 4, #ARGV do
  local record = pcall('GET', KEYS[3 * i - 11])
  if type(record) == 'string' and sub(record, 1, 24) == ARGV[i] then
    call('DEL', KEYS[3 * i - 11])
    answers[i - 3] = 'F'
  else
    answers[i - 3] = false
    left = true
  end
end
if not left then return { table.concat(answers, '\n') } end
