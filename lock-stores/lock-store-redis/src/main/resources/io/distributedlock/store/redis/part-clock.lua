-- The server's time in microseconds; the same during one script.
local clock
local function now()
  if not clock then
    local time = call('TIME')
    clock = time[1] * 1000000 + time[2]
  end
  return clock
end
