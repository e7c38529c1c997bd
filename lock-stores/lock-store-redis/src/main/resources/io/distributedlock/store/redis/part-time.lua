-- The server's time in microseconds; the same during one script.
local clock
local function now()
  if not clock then
    if now_text == '0' then
      local time = call('TIME')
      clock = time[1] * 1000000 + time[2]
    else
      clock = tonumber(now_text)
    end
  end
  return clock
end
