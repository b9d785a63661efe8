-- A miss: hands out the lease of a key, unless there is a value after all, a writer holds the key,
-- or somebody else has the lease.
-- KEYS: value, lease, holds. ARGV: token of the new lease, its life in ms.
-- Returns the value, or 0 = the lease is yours, 1 = held, 2 = somebody else is loading.
local value = redis.call('GET', KEYS[1])
if value then
    return value
end
if redis.call('EXISTS', KEYS[3]) == 1 then
    local time = redis.call('TIME')
    local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
    if redis.call('ZCOUNT', KEYS[3], '(' .. string.format('%.0f', now_ms), '+inf') > 0 then
        return 1
    end
end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return 0
end
return 2
