-- Lets nothing be claimed from a queue, or lets it again.
-- ARGV: queue, 1 = nothing.
even_when_full()
call(ARGV[2] == '1' and 'SADD' or 'SREM', B .. 'paused', ARGV[1])
call('ZADD', B .. 'queues', time[1], ARGV[1])
return tell(ARGV[1])
