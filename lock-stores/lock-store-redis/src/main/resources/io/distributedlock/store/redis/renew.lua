for i = 1, #KEYS do
  if not answers[i] then
    local record = pcall('GET', KEYS[i])
    answers[i] = record and unusable(record) or 'N'
  end
end
return { table.concat(answers, '\n') }
