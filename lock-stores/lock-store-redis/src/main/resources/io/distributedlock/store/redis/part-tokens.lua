-- Tokens rise above all that were given out before, even if the clock went back. KEYS[1], the mark, keeps the highest.
local highest, written

-- Offers a block without using it. Returns first, count, and both ends as texts; or nil and the error.
local function offer_tokens(count)
  if not highest then
    local mark = pcall('GET', KEYS[1])
    if not mark then
      highest = 0
    elseif type(mark) == 'table' then
      return nil, 'E' .. mark.err
    elseif not string.find(mark, '^%d+$') or #mark > 16 then
      return nil, 'M'
    else
      highest = tonumber(mark)
    end
    written = highest
  end
  local first = highest + 1
  if first < now() then
    first = now()
  elseif first - now() > 1000000 then
    count = 1
  end
  local last = first + count - 1
  if last + 1000000 > 9007199254740991 then return nil, 'M' end
  local text = format('%016.0f', first)
  return first, count, text, count == 1 and text or format('%016.0f', last)
end

-- Uses a block that was offered. The mark is written once for all that this script may still use, 'ahead' of it, so that
-- an error later in the script finds it written.
local function use_tokens(first, count, ahead)
  highest = first + count - 1
  if highest > written then
    written = highest + ahead
    call('SET', KEYS[1], format('%.0f', written))
  end
end
