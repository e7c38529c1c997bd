local call, pcall, sub, format = redis.call, redis.pcall, string.sub, string.format

-- A lock record: version, kind (h held, w held and waited for, r reserved, c cooling, s shared: then a letter
-- says by whom, * readers or + holders of permits, and there are no tokens), attempt (22), first and last token
-- (16 each), instance. Tokens are texts of 16 digits. Whoever queues makes an h a w, so that the release of an h need not
-- look at the queue. A record that follows an expired one may be an h although others queue: the next re-check of one of
-- them mends it.
local NO_TOKENS = '00000000000000000000000000000000'

-- Says what is wrong with something that was read as a record, nil if nothing is.
local function unusable(record)
  if type(record) == 'table' then return 'E' .. record.err end
  if sub(record, 1, 1) ~= '1' then return 'V' end
  if not string.find(record, '^1[hwrcs]') or not tonumber(sub(record, 25, 40)) or not tonumber(sub(record, 41, 56)) then
    return 'C'
  end
  return nil
end

local function is_held_by(record, attempt)
  local head = sub(record, 1, 2)
  return (head == '1h' or head == '1w') and sub(record, 3, 24) == attempt
end
