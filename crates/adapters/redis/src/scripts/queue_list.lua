-- A slice of the tasks, the greatest id first, which is the newest.
-- ARGV: the set to look through, or 'held'; after this task ('' = from the newest); status, kind and
-- queue or ''; the slice; 'held' and 'due' are looked through up to this size, else all tasks; the most
-- records to return.
-- Returns the last task that was looked at, or '' at the end, and the records.
local most, from = tonumber(ARGV[6]), ARGV[2] == '' and '+' or '(' .. ARGV[2]
local set, by_id = B .. ARGV[1], true
if ARGV[1] == 'held' or ARGV[1] == 'due' then
    local size = ARGV[1] == 'held' and call('HLEN', HELD) or call('ZCARD', set)
    if size > tonumber(ARGV[7]) then
        set = B .. 'all'
    else
        -- Put in order by the server, byte by byte; how Lua compares texts depends on the locale.
        local few = ARGV[1] == 'held' and call('HKEYS', HELD) or call('ZRANGE', set, 0, -1)
        set, by_id = B .. 'order', false
        even_when_full()
        for i = 1, #few do
            call('ZADD', set, 0, few[i])
        end
    end
end
local ids = call('ZREVRANGEBYLEX', set, from, '-', 'LIMIT', 0, most)
if not by_id then
    call('DEL', set)
end
-- So much, and the record that goes beyond it.
local BYTES = 1048576
local records, found, bytes = load_all(ids), {}, 0
local last = #ids == most and ids[most] or ''
for i = 1, #ids do
    local r = records[ids[i]]
    if r and not is_over(r) and (ARGV[3] == '' or r[STATUS] == ARGV[3])
        and (ARGV[4] == '' or r[KIND] == ARGV[4]) and (ARGV[5] == '' or r[QUEUE] == ARGV[5])
    then
        found[#found + 1] = shown(ids[i], r)
        bytes = bytes + #found[#found][2]
        if #found == tonumber(ARGV[8]) or bytes > BYTES then
            last = i == #ids and last or ids[i]
            break
        end
    end
end
return { last, found }
