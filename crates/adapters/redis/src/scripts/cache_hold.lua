-- Removes the value, ends the lease, and adds a hold. Holds are a sorted set: the member is the
-- token, the score the instant in ms when the hold ends by itself.
-- KEYS: value, lease, holds. ARGV: token, life of the hold in ms.
redis.call('DEL', KEYS[1], KEYS[2])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now_ms))
redis.call('ZADD', KEYS[3], string.format('%.0f', now_ms + ARGV[2]), ARGV[1])
if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[3], ARGV[2])
end
return 1
