-- Extends leases.
-- ARGV: length of the lease, then of each: task, token, progress as JSON or ''.
-- Returns of each: 0 lost, 1 held, 2 somebody wants it to stop.
local FIELDS = 3
local ids, answers = {}, {}
for i = 2, #ARGV, FIELDS do
    ids[#ids + 1] = ARGV[i]
end
local till = now + ARGV[1]
local records = load_all(ids)
for i = 1, #ids do
    local id, a = ids[i], 1 + (i - 1) * FIELDS
    local r = records[id]
    if r and r[STATUS] == 'r' and r[TOKEN] == ARGV[a + 2] and r[UNTIL] > now then
        answers[i] = 1 + r[CANCEL]
        r[UNTIL] = till
        if ARGV[a + 3] ~= '' then
            r[PROGRESS] = ARGV[a + 3]
        end
        leases[#leases + 1] = till
        leases[#leases + 1] = id
        save(id, r)
    else
        answers[i] = 0
    end
end
flush()
return answers
