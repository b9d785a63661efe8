-- Puts tasks into their queues.
-- ARGV: of each task: id, queue, kind, priority, due at, most attempts, retention in s, unique key
-- or '', 1 = should that be taken, it is kept as cancelled, the task as JSON.
-- Returns of each: 'n' new, 'k' known, or the id of the task that has the unique key.
local FIELDS = 10
local ids, answers, here = {}, {}, {}
for i = 1, #ARGV, FIELDS do
    ids[#ids + 1] = ARGV[i]
end
local known = call('HMGET', TASK, unpack(ids))
promote(200)
local new, bodies = {}, {}
for i = 1, #ids do
    local id, a = ids[i], (i - 1) * FIELDS
    local kind, unique = ARGV[a + 3], ARGV[a + 8]
    local owner
    local old = known[i] and read(known[i])
    if here[id] or old and not is_over(old) then
        answers[i] = 'k'
    else
        if old then
            unfinish(id, old)
        end
        if unique ~= '' then
            owner = call('GET', B .. 'u:' .. kind .. ':' .. unique)
        end
        answers[i] = owner or 'n'
        if not owner or ARGV[a + 9] == '1' then
            local run_at = tonumber(ARGV[a + 5])
            local r = {
                'q', ARGV[a + 2], kind, tonumber(ARGV[a + 4]), 0, '', 0, 0,
                run_at, tonumber(ARGV[a + 6]), tonumber(ARGV[a + 7]), unique,
            }
            if not owner and unique ~= '' then
                call('SET', B .. 'u:' .. kind .. ':' .. unique, id)
            end
            if owner then
                r = read(cmsgpack.pack(r))
                r[ERROR] = cjson.encode({
                    code = 'not_unique',
                    message = 'the task ' .. owner .. ' has this unique key and is not finished',
                })
                finish(id, r, 'c')
            elseif run_at > now then
                schedule(id, r, run_at)
            else
                enter(id, r)
            end
            save(id, r)
            bodies[#bodies + 1] = id
            bodies[#bodies + 1] = ARGV[a + 10]
            here[id] = true
            new[#new + 1] = '0'
            new[#new + 1] = id
        end
    end
end
if #new > 0 then
    call('HSET', BODY, unpack(bodies))
    call('ZADD', B .. 'all', unpack(new))
end
flush()
return answers
