-- Takes a block of tokens, above all that were taken before, even if the clock went back. KEYS[1] keeps the highest.
-- 'ahead' is how many more this script may take: the key is written once for all of them, and before any is used.
-- Returns first and count, or nil and the error.
local highest, written
local function take_tokens(count, ahead)
  if not highest then
    local mark = redis.pcall('GET', KEYS[1])
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
  if first < now() then first = now() end
  if first - now() > 1000000 then count = 1 end
  local last = first + count - 1
  if last + ahead > 9007199254740991 then return nil, 'M' end
  if last > written then
    written = last + ahead
    local set = redis.pcall('SET', KEYS[1], string.format('%.0f', written))
    if set.err then
      highest = nil
      return nil, 'E' .. set.err
    end
  end
  highest = last
  return first, count
end
