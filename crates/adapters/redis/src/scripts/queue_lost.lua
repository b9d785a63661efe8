-- Finds the leases of a claim whose answer did not arrive.
-- ARGV: what makes the tokens of that claim unlike any others.
-- Returns of each lease: task, token.
local found, mark = {}, '.' .. ARGV[1]
local all = call('HGETALL', HELD)
for i = 1, #all, 2 do
    local token = cmsgpack.unpack(all[i + 1])[H_TOKEN]
    if string.sub(token, -#mark) == mark then
        found[#found + 1] = all[i]
        found[#found + 1] = token
    end
end
return found
