-- Read when it is needed.
local mark, written
