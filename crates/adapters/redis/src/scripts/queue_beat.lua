-- Extends leases.
-- ARGV: length of the lease, then of each: task, token, progress as JSON or ''.
-- Returns of each: 0 lost, 1 held, 2 somebody wants it to stop.
even_when_full()
local FIELDS = 3
local ids, answers = {}, {}
for i = 2, #ARGV, FIELDS do
    ids[#ids + 1] = ARGV[i]
end
local extended = now + ARGV[1]
local holds = call('HMGET', HELD, unpack(ids))
for i = 1, #ids do
    local id, a = ids[i], 1 + (i - 1) * FIELDS
    local h = holds[i] and cmsgpack.unpack(holds[i])
    if h and h[H_TOKEN] == ARGV[a + 2] and h[H_UNTIL] > now then
        answers[i] = 1 + h[H_CANCEL]
        h[H_UNTIL] = extended
        if ARGV[a + 3] ~= '' then
            h[H_PROGRESS] = ARGV[a + 3]
        end
        lease(id, h)
    else
        answers[i] = 0
    end
end
flush()
return answers
