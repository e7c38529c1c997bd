-- Asks for grants, and gives grants back, of different locks.
-- An acquire is the same question whether it is a first try, a re-check, a claim of a reservation or a repetition.
-- KEYS: mark, then the record for each acquire, then for each release; in a Cluster each followed by its queue and entries
-- ARGV: instance
--   life of a queue entry, reservation, where the id begins in a record key, prefix of channels, with commas between
--   number of acquires (4), most tokens that one of them wants (4), then what the short acquires have in common: not after
--   (16, server time in microseconds), n (do not queue), s (queue, signal) or p (queue, will poll), ttl
--   for each acquire, since arguments are what costs most, one only: short: record of a holder up to the attempt (24); it
--   is new and wants one token. Or long: not after, n, s or p, 1 if the attempt was sent before, else 0, tokens (4), record
--   of a holder up to the attempt (24), ttl
--   for each release: record of its holder up to the attempt (24), and how long the lock stays taken if it does
-- Returns lines: server time, or 0 if nothing was asked for; then one for each.
--
-- Acquires go first: at maxmemory they are refused, but after a release Redis would permit them. Their refusal is an answer
-- and no error of the script, which would keep the releases behind them from being answered.
--
-- The short way: what was asked for is free, and nobody waits for what is given back. It has no functions, because to make
-- one costs Redis more than a command does. What it cannot do is left to the rest of the script.
local call, pcall, sub = redis.call, redis.pcall, string.sub
local common = ARGV[3]
local acquires = tonumber(sub(common, 1, 4))
local stride = (#KEYS - 1) / (#ARGV - 3)
local answers, left, written = {}, false, false
local now_text, mark = '0', nil
if acquires > 0 then
  local time = call('TIME')
  now_text = time[1] .. sub('000000', #time[2] + 1) .. time[2]
  mark = pcall('GET', KEYS[1])
  -- Texts of 16 digits compare like numbers.
  local in_order = not mark
    or (type(mark) == 'string' and #mark == 16 and mark < now_text and not string.find(mark, '%D'))
  local in_time = now_text <= sub(common, 9, 24)
  local most, one_token, ttl = sub(common, 5, 8), now_text .. now_text .. ARGV[1], sub(common, 26)
  for i = 1, acquires do
    local asked, record_key, set = ARGV[i + 3], KEYS[stride * (i - 1) + 2], nil
    if in_order then
      if #asked == 24 then
        if in_time then set = pcall('SET', record_key, asked .. one_token, 'PX', ttl, 'NX') end
      elseif sub(asked, 18, 18) == '0' and now_text <= sub(asked, 1, 16) then
        local last = string.format('%016.0f', now_text + sub(asked, 19, 22) - 1)
        set = pcall('SET', record_key, sub(asked, 23, 46) .. now_text .. last .. ARGV[1], 'PX', sub(asked, 47), 'NX')
      end
    end
    if set and set.ok then
      if not written then
        call('SET', KEYS[1], most == '0001' and now_text or string.format('%016.0f', now_text + most - 1))
        written = true
      end
      answers[i] = 'G'
    else
      -- T: was tried; and what Redis said if it refused.
      answers[i] = set ~= nil and 'T' .. (set and set.err or '') or ''
      left = true
    end
  end
end
if #ARGV - 3 > acquires then
  local keys, first, all = KEYS, acquires + 2, true
  if stride > 1 then
    keys, first = {}, 1
    for i = acquires, #ARGV - 4 do keys[#keys + 1] = KEYS[stride * i + 2] end
  end
  local records = pcall('MGET', unpack(keys, first))
  for i = acquires + 1, #ARGV - 3 do
    local record = records[i - acquires]
    if record and sub(record, 1, 24) == ARGV[i + 3] then
      answers[i] = 'F'
    else
      answers[i] = ''
      all = false
    end
  end
  if all then
    call('DEL', unpack(keys, first))
  else
    left = true
    for i = acquires + 1, #answers do
      if answers[i] == 'F' then call('DEL', KEYS[stride * (i - 1) + 2]) end
    end
  end
end
if not left then return { now_text .. '\n' .. table.concat(answers, '\n') } end
