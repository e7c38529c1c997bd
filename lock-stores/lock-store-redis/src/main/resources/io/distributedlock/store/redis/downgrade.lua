-- Turns a grant into a reader's share, and serves readers at the front of the queue.
-- ARGV, further (the attempt is the reader's): attempt of the grant, ttl
-- Returns 'D' token; 'N' if there is neither the grant nor the share
local writer, ttl = ARGV[7], tonumber(ARGV[8])

local function hold(token)
  put_share(holders, owners, attempt, 'h', token, instance, ttl)
  keep_record(record_key, holders, owners)
  return format('D%.0f', tonumber(token))
end

local function downgrade()
  local record, _, mine, failure = look()
  if failure then return failure end
  -- A write that Redis permits at maxmemory comes first; after it, the others are.
  if mine and sub(mine, 1, 1) == 'h' then
    call('PEXPIRE', record_key, ttl)
    return hold(sub(mine, 2, 17))
  end
  if not record or not is_held_by(record, writer) then return 'N' end
  call('PEXPIRE', record_key, ttl)
  begin_sharing(record_key, holders, owners, '*', instance, ttl)
  local answer = hold(sub(record, 41, 56))
  -- If that fails, who waits asks again.
  serve_sharers(record_key, queue, entries, reservation, channels, id_offset, '*')
  return answer
end

return { downgrade() }
