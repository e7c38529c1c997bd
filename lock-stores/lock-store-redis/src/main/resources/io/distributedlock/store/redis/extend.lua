-- Gives a grant more tokens and its full ttl, unless somebody waits.
-- KEYS: mark, record, queue, entries
-- ARGV: attempt, ttl, tokens
-- It may be executed after a later renewal, and so it never shortens what is left.
local record_key, queue, entries = KEYS[2], KEYS[3], KEYS[4]

-- Drops dead entries at the head. Returns whether one lives, or nil and the error.
local function anybody_waits()
  while true do
    local head = pcall('ZRANGE', queue, 0, 0)
    if head.err then return nil, 'E' .. head.err end
    local instance = head[1]
    if not instance then return false end
    local entry = pcall('HGET', entries, instance)
    if type(entry) == 'table' then return nil, 'E' .. entry.err end
    if entry and (sub(entry, 1, 1) ~= '1' or tonumber(string.match(entry, '^%d+', 25)) * 1000 > now()) then return true end
    call('ZREM', queue, instance)
    call('HDEL', entries, instance)
  end
end

local function extend()
  local record = pcall('GET', record_key)
  if not record then return 'N' end
  local failure = unusable(record)
  if failure then return failure end
  if not is_held_by(record, ARGV[1]) then return 'N' end
  if sub(record, 2, 2) == 'w' then
    local waits
    waits, failure = anybody_waits()
    if waits == nil then return failure end
    if waits then return 'Y' end
  end
  local ttl = math.max(tonumber(ARGV[2]), call('PTTL', record_key))
  call('PEXPIRE', record_key, ttl)
  local first, count, _, last_text = offer_tokens(tonumber(ARGV[3]))
  if not first then return count end
  call('SET', record_key, '1h' .. sub(record, 3, 40) .. last_text .. sub(record, 57), 'PX', ttl)
  use_tokens(count)
  return format('X%.0f,%d', first, count)
end

return { extend() }
