-- A slice of the tasks, the greatest id first, which is the newest.
-- ARGV: the set to look through, or 'held'; after this task ('' = from the newest); status, kind and
-- queue or ''; the slice.
-- Returns the last task that was looked at, or '' at the end, and the records.
local most, from = tonumber(ARGV[6]), ARGV[2] == '' and '+' or '(' .. ARGV[2]
local set = B .. ARGV[1]
if ARGV[1] == 'held' then
    -- Put in order by the server, byte by byte; how Lua compares texts depends on the locale.
    set = B .. 'order'
    local running = call('HKEYS', HELD)
    for i = 1, #running do
        call('ZADD', set, 0, running[i])
    end
end
local ids = call('ZREVRANGEBYLEX', set, from, '-', 'LIMIT', 0, most)
if ARGV[1] == 'held' then
    call('DEL', set)
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
