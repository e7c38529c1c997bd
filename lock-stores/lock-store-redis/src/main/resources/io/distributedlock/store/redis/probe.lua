-- Runs every command that the other scripts use, on keys of its own, and names those that are not permitted.
-- KEYS: record, queue, entries
-- ARGV: a channel
-- Returns: for each that is not: command, what Redis says
local denied = {}
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    denied[#denied + 1] = (...)
    denied[#denied + 1] = answer.err
  end
end
local record, queue, entries = KEYS[1], KEYS[2], KEYS[3]
try('TIME')
try('SET', record, 'probe', 'PX', 1000)
try('GET', record)
try('MGET', record)
try('PTTL', record)
try('PEXPIRE', record, 1000)
try('ZADD', queue, 'NX', 1, 'probe')
try('ZRANGE', queue, 0, 0)
try('ZCARD', queue)
try('ZSCORE', queue, 'probe')
try('HSET', entries, 'probe', 'probe')
try('HGET', entries, 'probe')
try('HGETALL', entries)
try('HDEL', entries, 'probe')
try('ZREM', queue, 'probe')
try('ZPOPMIN', queue)
try('PUBLISH', ARGV[1], '1p')
try('DEL', record)
return denied
