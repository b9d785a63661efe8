-- How full the queues are.
-- Returns of each: name, paused, queued, scheduled, running, dead, when the task that waits longest
-- entered its lane, in ms, or 0.
local names = {}
for _, key in ipairs({ { 'ZRANGE', 'queues' }, { 'SMEMBERS', 'paused' } }) do
    local found = key[1] == 'ZRANGE' and call('ZRANGE', B .. 'queues', 0, -1)
        or call('SMEMBERS', B .. 'paused')
    for _, name in ipairs(found) do
        names[name] = true
    end
end
local answer = {}
for queue in pairs(names) do
    local queued, oldest = 0, 0
    for _, kind in ipairs(call('SMEMBERS', B .. 'kinds:' .. queue)) do
        local waits = call('HGETALL', B .. 'w:' .. queue .. ':' .. kind)
        for i = 1, #waits, 2 do
            local lane = B .. 'l:' .. queue .. ':' .. kind .. ':' .. waits[i]
            queued = queued + waits[i + 1]
            local group = call('XINFO', 'GROUPS', lane)[1]
            for field = 1, #group, 2 do
                if group[field] == 'last-delivered-id' then
                    local next = call('XRANGE', lane, '(' .. group[field + 1], '+', 'COUNT', 1)
                    if next[1] then
                        local ms = tonumber(string.match(next[1][1], '^%d+'))
                        oldest = oldest == 0 and ms or math.min(oldest, ms)
                    end
                end
            end
        end
    end
    local n = call('HMGET', B .. 'n', 's:' .. queue, 'r:' .. queue, 'd:' .. queue)
    answer[#answer + 1] = {
        queue, call('SISMEMBER', B .. 'paused', queue), queued,
        tonumber(n[1] or 0), tonumber(n[2] or 0), tonumber(n[3] or 0), oldest,
    }
end
return answer
