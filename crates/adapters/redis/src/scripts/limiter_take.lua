-- The state of a key before and after one request, as in `ports::limiter::decide`. All times are
-- whole microseconds, which a Lua number holds exactly below 2^53 (until the year 2255).
-- KEYS: state. ARGV: step, window, need (step * cost), now ('' = this server's clock), and, when
-- delays escalate: base, cap, forget_after.
-- Returns now and the state before: tat, strikes, closed_until, struck_at. The caller derives the
-- decision from these with the same arithmetic.
local window, need = tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end

-- Kept as "tat", or, once a request was refused with an escalation, as four numbers.
local tat, strikes, closed, struck = 0, 0, 0, 0
local kept = redis.call('GET', KEYS[1])
if kept then
    tat = tonumber(kept)
    if not tat then
        local a, b, c, d = string.match(kept, '^(%d+) (%d+) (%d+) (%d+)$')
        tat, strikes = tonumber(a) or 0, tonumber(b) or 0
        closed, struck = tonumber(c) or 0, tonumber(d) or 0
    end
end
local before = { now, tat, strikes, closed, struck }

if closed > now then
    return before
end
local escalates = ARGV[5] ~= nil
if escalates and now - struck >= tonumber(ARGV[7]) then
    strikes = 0
end
local after = math.max(tat, now) + need
if after - now <= window then
    tat = after
elseif escalates then
    local delay = math.min(ARGV[5] * 2 ^ math.min(strikes, 30), tonumber(ARGV[6]))
    strikes = strikes + 1
    struck = now
    closed = now + delay
else
    return before
end

local keep = string.format('%.0f', tat)
if strikes > 0 or closed > 0 or struck > 0 then
    keep = string.format('%.0f %.0f %.0f %.0f', tat, strikes, closed, struck)
end
if ARGV[4] ~= '' then
    -- A clock from outside does not go with the expiry of keys.
    redis.call('SET', KEYS[1], keep)
    return before
end
-- From then on the state means the same as none.
local until_us = math.max(tat, closed)
if escalates and strikes > 0 then
    until_us = math.max(until_us, struck + ARGV[7])
end
redis.call('SET', KEYS[1], keep, 'PX', math.max(1, math.ceil((until_us - now) / 1000)))
return before
