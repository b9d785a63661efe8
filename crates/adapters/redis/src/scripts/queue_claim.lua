-- Leases tasks that are due.
-- ARGV: queue, worker, length of the lease, most tasks, whose turn it is (a number), what makes
-- the tokens unlike any others, then of each kind: name, most at once or -1, and for its rate: pause between two starts or 0, tolerance.
-- Returns now, when it is worth while to ask again (0 = when woken), and of each task: token,
-- attempt, JSON.
even_when_full()
local FIELDS = 4
local queue, worker, limit = ARGV[1], ARGV[2], tonumber(ARGV[4])
if call('SISMEMBER', B .. 'paused', queue) == 1 then
    return { now, 0, {} }
end
if promote(200) > 0 then
    flush()
end

local kinds, all, again = {}, {}, 0
local total = (#ARGV - 6) / FIELDS
for turn = 0, total - 1 do
    local a = 6 + ((ARGV[5] + turn) % total) * FIELDS
    local kind = { name = ARGV[a + 1], room = limit, waits = {}, waiting = 0, taken = 0 }
    all[turn + 1] = kind
    kind.hash = B .. 'w:' .. queue .. ':' .. kind.name
    local waits = call('HGETALL', kind.hash)
    for i = 1, #waits, 2 do
        kind.waits[tonumber(waits[i])] = tonumber(waits[i + 1])
        kind.waiting = kind.waiting + waits[i + 1]
    end
    if kind.waiting > 0 then
        local most = tonumber(ARGV[a + 2])
        if most >= 0 then
            kind.room = math.min(limit, most - (call('HGET', B .. 'n', 'k:' .. kind.name) or 0))
        end
        kind.step = tonumber(ARGV[a + 3])
        if kind.step > 0 then
            local tolerance = tonumber(ARGV[a + 4])
            kind.tat = math.max(tonumber(call('GET', B .. 'g:' .. kind.name) or 0), now)
            local free = math.floor((tolerance - (kind.tat - now)) / kind.step) + 1
            if free < 1 then
                local at = kind.tat - tolerance
                again = again == 0 and at or math.min(again, at)
            end
            kind.room = math.min(kind.room, free)
        end
        if kind.room > 0 then
            kinds[#kinds + 1] = kind
        end
    end
end

local taken = {}

-- The first id of a stream that is greater.
local function after(entry)
    local ms, number = string.match(entry, '^(%d+)-(%d+)$')
    return ms .. '-' .. (number + 1)
end

-- Reads up to `most` tasks of the kind, the best lanes first; returns whether there may be more.
local function take(kind, most)
    most = math.min(most, kind.room - kind.taken)
    for class = 19, 0, -1 do
        local waits = kind.waits[class] or 0
        if most > 0 and waits > 0 then
            local lane = B .. 'l:' .. queue .. ':' .. kind.name .. ':' .. class
            local read = call('XREADGROUP', 'GROUP', 'w', 'w', 'COUNT', math.min(most, waits),
                'NOACK', 'STREAMS', lane, '>')
            local entries = read and read[1][2] or {}
            for i = 1, #entries do
                local fields = entries[i][2]
                taken[#taken + 1] = { fields[2], fields[4], kind.name }
            end
            if #entries > 0 then
                -- What a lease needs is held; whole nodes of a stream go faster than single entries.
                call('XTRIM', lane, 'MINID', after(entries[#entries][1]))
            end
            count(kind.hash, class, -#entries)
            kind.waits[class] = waits - #entries
            kind.taken = kind.taken + #entries
            most = most - #entries
        end
    end
    return most == 0 and kind.taken < kind.room
end

while #kinds > 0 and #taken < limit do
    local share = math.max(1, math.floor((limit - #taken) / #kinds))
    local left = {}
    for i = 1, #kinds do
        local kind = kinds[i]
        local had = kind.taken
        if #taken < limit and take(kind, math.min(share, limit - #taken)) and kind.taken > had then
            left[#left + 1] = kind
        end
        if kind.step > 0 and kind.taken > had then
            kind.tat = kind.tat + (kind.taken - had) * kind.step
            call('SET', B .. 'g:' .. kind.name, string.format('%.0f', kind.tat), 'PX',
                math.ceil((kind.tat - now) / 1000) + 1000)
        end
    end
    kinds = left
end

if #taken == 0 then
    call('SET', B .. 'idle:' .. queue, 1, 'PX', 60000)
    local head = call('ZRANGE', B .. 'due', 0, 0, 'WITHSCORES')
    if head[2] then
        again = again == 0 and head[2] or math.min(again, head[2])
    end
    return { now, tonumber(again), {} }
end

local ids, answer = {}, {}
for i = 1, #taken do
    ids[i] = taken[i][1]
end
local bodies = call('HMGET', BODY, unpack(ids))
local last = call('INCRBY', B .. 'seq', #taken) - #taken
local ends = now + ARGV[3]
for i = 1, #taken do
    local id, meta, kind = unpack(taken[i])
    local attempt = string.match(meta, '^%d+') + 1
    local token = string.format('%.0f', last + i) .. '.' .. ARGV[6]
    lease(id, { token, ends, worker, now, attempt, 0, '', queue, kind, meta })
    local a = #answer
    answer[a + 1], answer[a + 2], answer[a + 3] = token, attempt, bodies[i]
end
for i = 1, total do
    local kind = all[i]
    if kind.taken > 0 then
        count(N, 'k:' .. kind.name, kind.taken)
    end
end
count(N, 'r:' .. queue, #taken)
flush()
return { now, 0, answer }
