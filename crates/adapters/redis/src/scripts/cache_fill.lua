-- Puts the value and ends the lease, if it is still the one that stands.
-- KEYS: value, lease. ARGV: token, value, its time to live in ms.
-- Returns 1 when it was put, else 0.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
    return 0
end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
