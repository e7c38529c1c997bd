-- A lock record: version, kind (h held, r reserved, c cooling), attempt (22), first and last token (16 each), instance.
local function make_record(kind, attempt, first, last, instance)
  return string.format('1%s%s%016.0f%016.0f%s', kind, attempt, first, last, instance)
end

-- Says what is wrong with something that was read as a record, nil if nothing is.
local function unusable(record)
  if type(record) == 'table' then return 'E' .. record.err end
  if string.sub(record, 1, 1) ~= '1' then return 'V' end
  if not string.find(record, '^1[hrc]') or not tonumber(string.sub(record, 25, 40))
      or not tonumber(string.sub(record, 41, 56)) then
    return 'C'
  end
  return nil
end
