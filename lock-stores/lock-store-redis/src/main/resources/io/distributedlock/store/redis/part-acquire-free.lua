-- Asks for grants: first try, re-check, claim of a reservation and repetition are all the same question.
-- KEYS: mark, then for each: record, queue, entries
-- ARGV: instance, life of a queue entry, most tokens that one of them wants, last moment (16) for the short way, then one
-- for each, since arguments are what costs most: not after (16, server time in microseconds), n (do not queue), s (queue,
-- signal) or p (queue, will poll), 1 if the attempt was sent before, else 0, tokens (4), record of a holder up to the
-- attempt (24), ttl
-- Returns lines: server time, then one for each.
--
-- The short way: all are new and free. It has no functions, because to make one costs Redis more than a command does.
-- What it cannot do is left to the rest of the script.
local call, pcall, sub = redis.call, redis.pcall, string.sub
local time = call('TIME')
local now_text = time[1] .. sub('000000', #time[2] + 1) .. time[2]
local mark = pcall('GET', KEYS[1])
-- Texts of 16 digits compare like numbers.
local in_order = not mark or (type(mark) == 'string' and #mark == 16 and mark < now_text and not string.find(mark, '%D'))
local answers, written = {}, false
if in_order and now_text <= ARGV[4] then
  local left = false
  for i = 5, #ARGV do
    local asked, last = ARGV[i], now_text
    if sub(asked, 19, 22) ~= '0001' then last = string.format('%016.0f', now_text + sub(asked, 19, 22) - 1) end
    local set = pcall('SET', KEYS[3 * i - 13], sub(asked, 23, 46) .. now_text .. last .. ARGV[1], 'PX', sub(asked, 47),
      'NX')
    if set and set.ok then
      if not written then
        if ARGV[3] ~= '1' then last = string.format('%016.0f', now_text + ARGV[3] - 1) end
        call('SET', KEYS[1], last)
        written = true
      end
      answers[i - 4] = 'G'
    else
      answers[i - 4] = false
      left = true
    end
  end
  if not left then return { now_text .. '\n' .. table.concat(answers, '\n') } end
end
