-- Gives a share its full ttl, unless somebody waits for the lock.
-- ARGV, further: ttl
-- Returns 'X' token, 1; 'Y' somebody waits; 'N'
local function extend()
  local record, _, mine, failure = look()
  if failure then return failure end
  if not record or not mine or sub(mine, 1, 1) ~= 'h' then return 'N' end
  if anybody_waits() then return 'Y' end
  call('PEXPIRE', record_key, ARGV[7])
  local ends = math.max(tonumber(call('ZSCORE', holders, attempt)), now_millis() + 1 + tonumber(ARGV[7]))
  call('ZADD', holders, format('%.0f', ends), attempt)
  keep_record(record_key, holders, owners)
  return format('X%.0f,1', tonumber(sub(mine, 2, 17)))
end

return { extend() }
