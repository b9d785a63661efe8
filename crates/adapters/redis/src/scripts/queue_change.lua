-- Looks a task up, cancels it, or lets it begin again.
-- ARGV: task, what to do: 'find', 'cancel', 'replay'.
-- Returns the record afterwards, or nothing when it is not known.
local id, verb = ARGV[1], ARGV[2]
if verb == 'cancel' then
    even_when_full()
end
local r = load(id)
if not r or is_over(r) then
    return false
end
if verb == 'cancel' and not is_final(r) then
    if r[STATUS] == 'r' then
        local h = cmsgpack.unpack(call('HGET', HELD, id))
        r[CANCEL], h[H_CANCEL] = 1, 1
        call('HSET', HELD, id, cmsgpack.pack(h))
    else
        if r[STATUS] == 's' then
            call('ZREM', B .. 'due', id)
            count(B .. 'n', 's:' .. r[QUEUE], -1)
        else
            count(waiting_of(r), r[PRIORITY] * 2 + r[BACK], -1)
            pull(r)
        end
        finish(id, r, 'c')
        save(id, r)
        flush()
    end
elseif verb == 'replay' and is_final(r) and r[STATUS] ~= 'o' then
    local unique = r[UNIQUE] ~= '' and B .. 'u:' .. r[KIND] .. ':' .. r[UNIQUE]
    if not unique or call('SET', unique, id, 'NX') then
        unfinish(id, r)
        r[ATTEMPTS], r[CRASHES], r[CANCEL], r[STARTED], r[FINISHED], r[BACK] = 0, 0, 0, 0, 0, 0
        r[PROGRESS], r[RESULT], r[ERROR], r[RUN_AT] = '', '', '', now
        enter(id, r)
        save(id, r)
        flush()
    end
end
return shown(id, r)
