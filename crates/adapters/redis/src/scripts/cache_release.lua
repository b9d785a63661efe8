-- Removes the value again, ends a lease that was handed out after the hold had ended by itself,
-- and ends the hold.
-- KEYS: value, lease, holds. ARGV: token.
redis.call('DEL', KEYS[1], KEYS[2])
return redis.call('ZREM', KEYS[3], ARGV[1])
