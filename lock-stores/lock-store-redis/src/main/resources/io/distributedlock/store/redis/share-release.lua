-- Gives a share back, or takes away whatever an attempt has.
-- ARGV, further: r release or a abandon, how long the room stays taken, 0 if it does not
-- Returns 'F', 'R' if others have their turn now, 'N' if there is no such share
local keep = tonumber(ARGV[8])

local function forget_place(member)
  local entry = call('HGET', entries, member)
  if entry and sub(entry, 3, 24) == attempt then
    call('ZREM', queue, member)
    call('HDEL', entries, member)
  end
end

local function give_back()
  if ARGV[7] == 'a' then
    forget_place('*' .. instance)
    forget_place('+' .. attempt .. instance)
  end
  local _, shared_by, mine, failure = look()
  if failure then return failure end
  local held = mine and sub(mine, 1, 1) == 'h'
  if ARGV[7] == 'r' and not held then return 'N' end
  if not mine then
    if not shared_by then return 'F' end
    local served, trouble = serve_sharers(record_key, queue, entries, reservation, channels, id_offset, shared_by)
    return trouble or (served and 'R' or 'F')
  end
  call('ZREM', holders, attempt)
  call('HDEL', owners, attempt)
  if keep > 0 then
    -- Nobody's from now on.
    put_share(holders, owners, 'c' .. attempt, 'c', '0000000000000000', '', keep)
    keep_record(record_key, holders, owners)
    return 'F'
  end
  return after_leaving(shared_by)
end

return { give_back() }
