-- Ends leases.
-- ARGV: of each: task, token, outcome (o succeeded, y retry, f failed, d dead, c cancelled,
-- l released), result or error as JSON or '', when to try again.
-- Returns of each 1 when it still held, else 0.
local FIELDS = 5
local ids, answers, freed = {}, {}, {}
for i = 1, #ARGV, FIELDS do
    ids[#ids + 1] = ARGV[i]
end
local records = load_all(ids)
for i = 1, #ids do
    local id, a = ids[i], (i - 1) * FIELDS
    local r, outcome, text = records[ids[i]], ARGV[a + 3], ARGV[a + 4]
    if r and r[STATUS] == 'r' and r[TOKEN] == ARGV[a + 2] and r[UNTIL] > now then
        answers[i] = 1
        unlease(id, r)
        pull(r)
        freed[waiting_of(r)] = r[QUEUE]
        if outcome == 'y' or outcome == 'f' or outcome == 'd' then
            remember(r, text, now)
        end
        if outcome == 'l' then
            r[ATTEMPTS] = r[ATTEMPTS] - 1
        end
        if outcome == 'o' then
            r[RESULT], r[ERROR] = text, ''
            finish(id, r, 'o')
        elseif outcome == 'f' or outcome == 'd' or outcome == 'c' then
            finish(id, r, outcome)
        elseif not comes_back(id, r) then
            freed[waiting_of(r)] = r[QUEUE]
        elseif outcome == 'l' then
            r[BACK] = 1
            enter(id, r)
        else
            r[BACK] = 0
            local at = tonumber(ARGV[a + 5])
            if at > now then
                schedule(id, r, at)
            else
                r[RUN_AT] = at
                enter(id, r)
            end
        end
        save(id, r)
    else
        answers[i] = 0
    end
end
-- A kind that had no room for more has some now.
for waiting, queue in pairs(freed) do
    if not entered[queue] and call('EXISTS', B .. 'idle:' .. queue, waiting) == 2 then
        entered[queue] = true
    end
end
flush()
return answers
