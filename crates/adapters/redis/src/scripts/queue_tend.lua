-- Does what time demands, a slice of it.
-- ARGV: the largest slice, 1 = look also for what is rare.
-- Returns how many were promoted, recovered, put among the dead, forgotten; 1 = there may be more.
even_when_full()
local most = tonumber(ARGV[1])
local promoted, recovered, quarantined = promote(most), 0, 0
flush()

-- Most of those that are noted were settled, or extended and noted for later: many are looked at, and
-- up to a slice is recovered. Should a note be lost, as when a script failed after it was taken, some
-- leases are looked at in any case.
local noted, more_lost = come('e', now / TENTH, 8 * most)
if ARGV[2] == '1' then
    for _, id in ipairs(call('HRANDFIELD', HELD, 100)) do
        noted[#noted + 1] = id
    end
end
local holds = #noted > 0 and call('HMGET', HELD, unpack(noted)) or {}
local lost, left = {}, {}
for i = 1, #noted do
    if holds[i] and cmsgpack.unpack(holds[i])[H_UNTIL] <= now then
        local list = #lost < most and lost or left
        list[#list + 1] = noted[i]
    end
end
if #left > 0 then
    defer('e', math.ceil(now / TENTH), left)
end
local records = load_all(lost)
for i = 1, #lost do
    local id, r = lost[i], records[lost[i]]
    -- One that was noted twice is recovered once.
    if r and r[STATUS] == 'r' then
        local err = { code = 'worker_lost', message = 'the worker ' .. r[WORKER]
            .. ' gave no sign of life until its lease ended' }
        local ended = r[UNTIL]
        unlease(id, r[QUEUE], r[KIND])
        r[TOKEN], r[UNTIL] = '', 0
        r[CRASHES] = r[CRASHES] + 1
        remember(r, cjson.encode(err), ended)
        if not comes_back(id, r) then
            quarantined = quarantined + (r[STATUS] == 'd' and 1 or 0)
        else
            r[BACK] = 1
            enter(id, r)
            recovered = recovered + 1
        end
        -- Room for its kind, also when it does not come back itself.
        entered[r[QUEUE]] = true
        save(id, r)
    end
end
flush()

-- Not those that were replayed.
local over, more_over = come('x', time[1], most)
local names = {}
for id, r in pairs(load_all(over)) do
    if is_over(r) then
        names[#names + 1] = id
        unfinish(id, r)
    end
end
if #names > 0 then
    call('HDEL', TASK, unpack(names))
    call('HDEL', BODY, unpack(names))
    call('ZREM', B .. 'all', unpack(names))
end
flush()

-- Lanes in which nothing waits; queues that nobody has used for a day.
if ARGV[2] == '1' then
    for _, queue in ipairs(call('ZRANDMEMBER', B .. 'queues', 10)) do
        local kinds = call('SRANDMEMBER', B .. 'kinds:' .. queue, 10)
        for _, kind in ipairs(kinds) do
            local used = false
            for class = 0, 19 do
                local lane = B .. 'l:' .. queue .. ':' .. kind .. ':' .. class
                if call('EXISTS', lane) == 1 then
                    if call('XLEN', lane) == 0 then
                        call('DEL', lane)
                    else
                        used = true
                    end
                end
            end
            if not used then
                call('SREM', B .. 'kinds:' .. queue, kind)
            end
        end
        local n = call('HMGET', B .. 'n', 's:' .. queue, 'r:' .. queue, 'd:' .. queue)
        if #kinds == 0 and not (n[1] or n[2] or n[3])
            and call('ZSCORE', B .. 'queues', queue) + 86400 < tonumber(time[1])
            and call('SISMEMBER', B .. 'paused', queue) == 0
        then
            call('ZREM', B .. 'queues', queue)
        end
    end
end
local more = promoted == most or more_lost or more_over
return { promoted, recovered, quarantined, #names, more and 1 or 0 }
