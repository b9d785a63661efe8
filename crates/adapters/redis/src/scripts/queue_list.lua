-- A slice of the tasks, the greatest id first, which is the newest.
-- ARGV: the sets to look through, separated by commas; after this task ('' = from the newest);
-- status, kind and queue or ''; the slice.
-- Returns the last task that was looked at, or '' at the end, and the records.
local most, from = tonumber(ARGV[6]), ARGV[2] == '' and '+' or '(' .. ARGV[2]
local ids, sets = {}, 0
for set in string.gmatch(ARGV[1], '[^,]+') do
    local found = call('ZREVRANGEBYLEX', B .. set, from, '-', 'LIMIT', 0, most)
    sets = sets + 1
    for i = 1, #found do
        ids[#ids + 1] = found[i]
    end
end
if sets > 1 and #ids > 0 then
    -- Merged by the server, byte by byte; how Lua compares texts depends on the locale.
    for i = 1, #ids do
        call('ZADD', B .. 'merge', 0, ids[i])
    end
    ids = call('ZREVRANGE', B .. 'merge', 0, most - 1)
    call('DEL', B .. 'merge')
end
local records, found = load_all(ids), {}
for i = 1, #ids do
    local r = records[ids[i]]
    if r and not is_over(r) and (ARGV[3] == '' or r[STATUS] == ARGV[3])
        and (ARGV[4] == '' or r[KIND] == ARGV[4]) and (ARGV[5] == '' or r[QUEUE] == ARGV[5])
    then
        found[#found + 1] = shown(ids[i], r)
    end
end
return { #ids == most and ids[most] or '', found }
