-- Tokens rise above all that were given out before, even if the clock went back. KEYS[1], the mark, keeps the highest.
-- All blocks of one script begin with the same token: each is of another key, and tokens only rise for each key.
local first

-- Offers a block without using it. Returns first, count, and both ends as texts; or nil and the error.
local function offer_tokens(count)
  if not first then
    local highest = 0
    if mark == nil then mark = pcall('GET', KEYS[1]) end
    if mark then
      if type(mark) == 'table' then return nil, 'E' .. mark.err end
      if not string.find(mark, '^%d+$') or #mark > 16 then return nil, 'M' end
      highest = tonumber(mark)
    end
    first = math.max(highest + 1, now())
  end
  if first - now() > 1000000 then count = 1 end
  local last = first + count - 1
  if last + 1000000 > 9007199254740991 then return nil, 'M' end
  local text = format('%016.0f', first)
  return first, count, text, count == 1 and text or format('%016.0f', last)
end

-- Uses what was offered. The mark is written once for all that this script may still use, of which none has more than
-- 'most' tokens, so that an error later in the script finds it written. If it is far ahead of the clock then each of them
-- has one, and the mark must not run further away.
local function use_tokens(most)
  if not written then
    if first - now() > 1000000 then most = 1 end
    call('SET', KEYS[1], format('%016.0f', first + most - 1))
    written = true
  end
end
