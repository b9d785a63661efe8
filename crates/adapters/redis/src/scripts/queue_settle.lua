-- Ends leases.
-- ARGV: of each: task, token, outcome (o succeeded, y retry, f failed, d dead, c cancelled,
-- l released, p postponed), result or error as JSON or '', when to try again.
-- Returns of each 1 when it still held, else 0.
even_when_full()
local FIELDS = 5
local ids, answers, freed = {}, {}, {}
for i = 1, #ARGV, FIELDS do
    ids[#ids + 1] = ARGV[i]
end
local holds = call('HMGET', HELD, unpack(ids))
local packed = call('HMGET', TASK, unpack(ids))

-- What failed or comes back: the record is read and written anew.
local function change(id, outcome, text, at)
    local r = load(id)
    if outcome == 'y' or outcome == 'f' or outcome == 'd' then
        remember(r, text, now)
    end
    if outcome == 'l' or outcome == 'p' then
        r[ATTEMPTS] = r[ATTEMPTS] - 1
    end
    r[TOKEN], r[UNTIL] = '', 0
    if outcome == 'f' or outcome == 'd' or outcome == 'c' then
        finish(id, r, outcome)
    elseif comes_back(id, r) then
        r[BACK] = outcome == 'l' and 1 or 0
        if outcome ~= 'l' then
            r[RUN_AT] = tonumber(at)
        end
        if outcome ~= 'l' and r[RUN_AT] > now then
            schedule(id, r, r[RUN_AT])
        else
            enter(id, r)
        end
    end
    save(id, r)
end

local ended = {}
for i = 1, #ids do
    local id, a = ids[i], (i - 1) * FIELDS
    local h = holds[i] and not ended[id] and cmsgpack.unpack(holds[i])
    if h and h[H_TOKEN] == ARGV[a + 2] and h[H_UNTIL] > now then
        answers[i], ended[id] = 1, true
        unlease(id, h[H_QUEUE], h[H_KIND])
        local kinds = freed[h[H_QUEUE]]
        if not kinds then
            kinds = {}
            freed[h[H_QUEUE]] = kinds
        end
        kinds[h[H_KIND]] = true
        if ARGV[a + 3] == 'o' then
            -- The record stays as it is; what it comes to is written behind it.
            puts[#puts + 1] = id
            puts[#puts + 1] = packed[i] .. cmsgpack.pack({
                h[H_ATTEMPT], h[H_STARTED], now, h[H_WORKER], h[H_CANCEL], h[H_PROGRESS],
                ARGV[a + 4],
            })
            local retention, unique = string.match(h[H_META], '^%d+ (%d+) (.*)$')
            conclude(id, 'o', retention, h[H_KIND], unique)
        else
            change(id, ARGV[a + 3], ARGV[a + 4], ARGV[a + 5])
        end
    else
        answers[i] = 0
    end
end
-- A kind that had no room for more has some now.
for queue, kinds in pairs(freed) do
    if not entered[queue] and call('EXISTS', B .. 'idle:' .. queue) == 1 then
        for kind in pairs(kinds) do
            if call('EXISTS', B .. 'w:' .. queue .. ':' .. kind) == 1 then
                entered[queue] = true
            end
        end
    end
end
flush()
return answers
