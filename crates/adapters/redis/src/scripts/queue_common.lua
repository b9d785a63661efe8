-- What all scripts of the queue share; it is put in front of each of them. What a script decides is
-- gathered in Lua tables first and written at the end with few commands that take many arguments. The
-- bodies stay out of Lua where they can: it reads every byte of every string that it is given.
--
-- All keys begin with KEYS[1], which ends with a hash tag, so that they are in one slot:
--   body, task, held   hashes by id: the task's JSON; its record, packed, and once it has succeeded
--                      how; of each running task, packed, what its lease is about
--   l:QUEUE:KIND:CLASS a lane: stream of the tasks that wait (i = id, m = attempts so far,
--                      retention and unique key); class = 2 * priority, + 1 for those that came
--                      back; group `w`
--   w:QUEUE:KIND       hash: class -> tasks that wait in its lane
--   due                zset: scheduled tasks by the instant when they are due
--   e, e:TENTH         zset of tenths of seconds, and of each the tasks whose lease may end then
--   x, x:SECOND        zset of seconds, and of each the tasks that may be forgotten then
--   all, f:STATUS      zsets by id: all tasks; those that failed, were cancelled, or are dead
--   u:KIND:KEY         the id of the task that has the unique key
--   n                  hash: s:QUEUE scheduled, r:QUEUE running, d:QUEUE dead, k:KIND running
--   queues, kinds:QUEUE  zset of queues by last use; the kinds of a queue
--   paused, idle:QUEUE, seq, g:KIND   paused queues; somebody waits; last token; rate of a kind
-- All times are microseconds by this server's clock, which a Lua number holds exactly below 2^53.
local B, call = KEYS[1], redis.call
local N, TASK, HELD, BODY = B .. 'n', B .. 'task', B .. 'held', B .. 'body'
local time = call('TIME')
local now = time[1] * 1000000 + time[2]

-- Positions in a record. The first ones are always kept; what follows is the same for a task that
-- nobody has touched.
local STATUS, QUEUE, KIND, PRIORITY, BACK, ENTRY, ATTEMPTS, CRASHES = 1, 2, 3, 4, 5, 6, 7, 8
local RUN_AT, MAX, RETENTION, UNIQUE, STARTED, FINISHED, CANCEL = 9, 10, 11, 12, 13, 14, 15
local TOKEN, UNTIL, WORKER, PROGRESS, RESULT, ERROR, HISTORY = 16, 17, 18, 19, 20, 21, 22

-- Positions in what is held.
local H_TOKEN, H_UNTIL, H_WORKER, H_STARTED, H_ATTEMPT, H_CANCEL, H_PROGRESS = 1, 2, 3, 4, 5, 6, 7
local H_QUEUE, H_KIND, H_META = 8, 9, 10

local DEAD_RETENTION_S = 1209600
local HISTORY_MAX = 10
local CRASHES_MAX = 3
local TENTH = 100000
local TIMES = 20

-- When memory is full, Redis refuses a command that may need some, unless the script has written
-- before; taking away what is not there is enough. For the scripts by which tasks come to their end,
-- and are forgotten: what they need is little, and without them memory would never be free again.
local function even_when_full()
    call('DEL', B .. 'nothing')
end

local puts, drops, counts, finals, expiry, entered, lanes = {}, {}, {}, {}, {}, {}, {}
local leased, unleased, held, till = {}, {}, {}, 0

local function push(lists, name, value)
    local list = lists[name]
    if list then
        list[#list + 1] = value
    else
        lists[name] = { value }
    end
end

local function count(hash, field, by)
    local fields = counts[hash]
    if not fields then
        fields = {}
        counts[hash] = fields
    end
    fields[field] = (fields[field] or 0) + by
end

local function read(packed, held)
    local r, done = cmsgpack.unpack(packed)
    if not r[STARTED] then
        r[STARTED], r[FINISHED], r[CANCEL], r[TOKEN], r[UNTIL], r[WORKER] = 0, 0, 0, '', 0, ''
        r[PROGRESS], r[RESULT], r[ERROR], r[HISTORY] = '', '', '', ''
    end
    if done then
        r[STATUS], r[ENTRY], r[ERROR] = 'o', '', ''
        r[ATTEMPTS], r[STARTED], r[FINISHED], r[WORKER] = done[1], done[2], done[3], done[4]
        r[CANCEL], r[PROGRESS], r[RESULT] = done[5], done[6], done[7]
    end
    if held then
        local h = cmsgpack.unpack(held)
        r[STATUS], r[TOKEN], r[UNTIL], r[WORKER] = 'r', h[H_TOKEN], h[H_UNTIL], h[H_WORKER]
        r[ENTRY], r[STARTED], r[ATTEMPTS] = '', h[H_STARTED], h[H_ATTEMPT]
        r[CANCEL], r[PROGRESS] = h[H_CANCEL], h[H_PROGRESS]
    end
    return r
end

local function load(id)
    local packed = call('HGET', TASK, id)
    return packed and read(packed, call('HGET', HELD, id))
end

-- The records of these tasks by id; those that are not known are missing.
local function load_all(ids)
    local records = {}
    if #ids > 0 then
        local packed = call('HMGET', TASK, unpack(ids))
        local holds = call('HMGET', HELD, unpack(ids))
        for i = 1, #ids do
            if packed[i] then
                records[ids[i]] = read(packed[i], holds[i])
            end
        end
    end
    return records
end

-- Not for running tasks: what changes while they run is held.
local function save(id, r)
    puts[#puts + 1] = id
    puts[#puts + 1] = cmsgpack.pack(r)
end

local function lane_of(r)
    return B .. 'l:' .. r[QUEUE] .. ':' .. r[KIND] .. ':' .. (r[PRIORITY] * 2 + r[BACK])
end

local function waiting_of(r)
    return B .. 'w:' .. r[QUEUE] .. ':' .. r[KIND]
end

-- Puts the task into its lane; a worker may have it from now on.
local function enter(id, r)
    local lane = lane_of(r)
    local counted = lanes[lane]
    if not counted then
        counted = { waiting_of(r), r[PRIORITY] * 2 + r[BACK] }
        lanes[lane] = counted
        if call('EXISTS', lane) == 0 then
            call('XGROUP', 'CREATE', lane, 'w', '0', 'MKSTREAM')
            call('SADD', B .. 'kinds:' .. r[QUEUE], r[KIND])
            call('ZADD', B .. 'queues', time[1], r[QUEUE])
        end
    end
    local meta = r[ATTEMPTS] .. ' ' .. r[RETENTION] .. ' ' .. r[UNIQUE]
    r[ENTRY] = call('XADD', lane, '*', 'i', id, 'm', meta)
    r[STATUS] = 'q'
    count(counted[1], counted[2], 1)
    entered[r[QUEUE]] = true
end

-- Takes a waiting task out of its lane.
local function pull(r)
    push(drops, lane_of(r), r[ENTRY])
    r[ENTRY] = ''
end

-- Leases the task until `h` says; all leases that are written at once end at the same instant.
local function lease(id, h)
    leased[#leased + 1] = id
    held[#held + 1] = id
    held[#held + 1] = cmsgpack.pack(h)
    till = h[H_UNTIL]
end

-- Ends a lease.
local function unlease(id, queue, kind)
    unleased[#unleased + 1] = id
    count(N, 'r:' .. queue, -1)
    count(N, 'k:' .. kind, -1)
end

local function schedule(id, r, at)
    r[STATUS], r[RUN_AT] = 's', at
    call('ZADD', B .. 'due', at, id)
    count(N, 's:' .. r[QUEUE], 1)
    entered[r[QUEUE]] = true
end

local function keep_us(r)
    local seconds = r[RETENTION]
    if r[STATUS] == 'd' then
        seconds = math.max(seconds, DEAD_RETENTION_S)
    end
    return seconds * 1000000
end

local function is_final(r)
    return string.find('ofcd', r[STATUS], 1, true) ~= nil
end

-- A finished task whose time is over counts as unknown, also before it is deleted.
local function is_over(r)
    return is_final(r) and r[FINISHED] + keep_us(r) <= now
end

-- Takes a finished task out of the lists of those; its record is for the caller to delete or to replace.
local function unfinish(id, r)
    if r[STATUS] ~= 'o' then
        call('ZREM', B .. 'f:' .. r[STATUS], id)
    end
    if r[STATUS] == 'd' then
        count(N, 'd:' .. r[QUEUE], -1)
    end
end

-- Gathers what a task that is finished changes beside its record.
local function conclude(id, status, retention, kind, unique)
    if unique ~= '' then
        local name = B .. 'u:' .. kind .. ':' .. unique
        if call('GET', name) == id then
            call('DEL', name)
        end
    end
    if status ~= 'o' then
        push(finals, status, '0')
        push(finals, status, id)
    end
    push(expiry, retention, id)
end

local function finish(id, r, status)
    r[STATUS], r[FINISHED] = status, now
    conclude(id, status, keep_us(r) / 1000000, r[KIND], r[UNIQUE])
    if status == 'd' then
        count(N, 'd:' .. r[QUEUE], 1)
    end
end

-- Adds the attempt that has just ended to the history: JSON, one line each.
local function remember(r, err, ended)
    local line = '{"number":' .. r[ATTEMPTS] .. ',"worker":' .. cjson.encode(r[WORKER])
        .. ',"started_at":' .. string.format('%.0f', r[STARTED])
        .. ',"ended_at":' .. string.format('%.0f', ended) .. ',"error":' .. err .. '}'
    local history = r[HISTORY] == '' and line or (r[HISTORY] .. '\n' .. line)
    local _, breaks = string.gsub(history, '\n', '\n')
    if breaks >= HISTORY_MAX then
        history = string.sub(history, string.find(history, '\n', 1, true) + 1)
    end
    r[HISTORY], r[ERROR] = history, err
end

-- Whether the task may run again; if not, it is dead or cancelled now.
local function comes_back(id, r)
    if r[CANCEL] == 1 then
        finish(id, r, 'c')
    elseif r[CRASHES] >= CRASHES_MAX or r[ATTEMPTS] >= r[MAX] then
        finish(id, r, 'd')
    else
        return true
    end
    return false
end

-- Puts scheduled tasks that are due into their lanes, up to `most`; returns how many.
local function promote(most)
    local ids = call('ZRANGEBYSCORE', B .. 'due', '-inf', now, 'LIMIT', 0, most)
    if #ids == 0 then
        return 0
    end
    local records = load_all(ids)
    for i = 1, #ids do
        local r = records[ids[i]]
        if r then
            count(N, 's:' .. r[QUEUE], -1)
            r[BACK] = 0
            enter(ids[i], r)
            save(ids[i], r)
        end
    end
    call('ZREM', B .. 'due', unpack(ids))
    return #ids
end

-- Tells those who wait for this queue. A user who may not use the channel has done everything else by
-- now; those who wait look again by themselves.
local function tell(queue)
    local told = redis.pcall('PUBLISH', B .. 'wake', queue)
    return type(told) == 'number' and told or 0
end

-- Tells them if there are any.
local function wake(queue)
    if call('DEL', B .. 'idle:' .. queue) == 1 then
        tell(queue)
    end
end

-- Notes that these tasks are to be looked at at this time.
local function defer(times, at, ids)
    call('RPUSH', B .. times .. ':' .. at, unpack(ids))
    call('ZADD', B .. times, at, at)
end

-- Takes up to `most` tasks whose time has come; also says whether there may be more.
local function come(times, by, most)
    local ids = {}
    local ats = call('ZRANGEBYSCORE', B .. times, '-inf', by, 'LIMIT', 0, TIMES)
    for i = 1, #ats do
        local list = B .. times .. ':' .. ats[i]
        local some = #ids < most and call('LPOP', list, most - #ids) or {}
        for j = 1, #some do
            ids[#ids + 1] = some[j]
        end
        if call('EXISTS', list) == 0 then
            call('ZREM', B .. times, ats[i])
        end
    end
    return ids, #ids == most or #ats == TIMES
end

-- Writes what was gathered, what frees memory first.
local function flush()
    for lane, entries in pairs(drops) do
        call('XDEL', lane, unpack(entries))
    end
    if #unleased > 0 then
        call('HDEL', HELD, unpack(unleased))
    end
    for hash, fields in pairs(counts) do
        for field, by in pairs(fields) do
            if by ~= 0 and call('HINCRBY', hash, field, by) == 0 then
                call('HDEL', hash, field)
            end
        end
    end
    if #puts > 0 then
        call('HSET', TASK, unpack(puts))
    end
    if #leased > 0 then
        call('HSET', HELD, unpack(held))
        defer('e', math.ceil(till / TENTH), leased)
    end
    for status, members in pairs(finals) do
        call('ZADD', B .. 'f:' .. status, unpack(members))
    end
    for seconds, ids in pairs(expiry) do
        defer('x', math.ceil(now / 1000000 + seconds), ids)
    end
    for queue in pairs(entered) do
        wake(queue)
    end
    puts, drops, counts, finals, expiry, entered = {}, {}, {}, {}, {}, {}
    leased, unleased, held = {}, {}, {}
end

-- The record as the caller reads it: its id and body, then the positions.
local function shown(id, r)
    return { id, call('HGET', BODY, id), unpack(r) }
end

