local function now()
  return tonumber(now_text)
end
