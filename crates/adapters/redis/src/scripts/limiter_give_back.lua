-- Gives back a part of what was taken of a key, as in `ports::limiter::given_back`; refusals stay.
-- KEYS: state. ARGV: need (step * cost).
local kept = redis.call('GET', KEYS[1])
if not kept then
    return 0
end
local tat, refusals = string.match(kept, '^(%d+)(.*)$')
if not tat then
    return 0
end
local keep = string.format('%.0f', math.max(0, tat - ARGV[1])) .. refusals
redis.call('SET', KEYS[1], keep, 'KEEPTTL')
return 1
