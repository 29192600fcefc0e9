#!lua name=hsched

-- What hschedd runs inside Redis: the lease of a cell, and writes that only its holder may do.
-- Loaded by store_redis.c. Raise VERSION with every change; an older hschedd goes on using a
-- newer library, so a function never changes its meaning: a new meaning is a new function.
--
-- The lease is a hash that never expires:
--   epoch     of the last leader; only grows
--   beat      grows with each acquire and renewal; whoever waits watches it with a clock of its
--             own, so that no wall clock, not even that of Redis, ends a lease
--   holder    who leads, in JSON; empty once it was released
--   store_id  made once for each store
--   schema    newest schema of records that was written here
--   writes    commits since the store began; if it shows fewer than a leader was told of, the
--             store was rolled back behind its back
-- Before there was a lease, epoch and store_id were in the table `meta`.

local VERSION = 3

-- {done, epoch, beat, schema, writes, store_id, holder}
local function answer(done, lease)
    return {done, lease.epoch, lease.beat, lease.schema, lease.writes, lease.store_id, lease.holder}
end

local function read(lease, meta)
    local v = redis.call('HMGET', lease, 'epoch', 'beat', 'schema', 'store_id', 'holder', 'writes')
    if not v[1] and meta then
        v[1] = redis.call('HGET', meta, 'epoch')
        v[4] = redis.call('HGET', meta, 'store_id')
    end
    return {epoch = tonumber(v[1] or 0) or 0, beat = tonumber(v[2] or 0) or 0,
            schema = tonumber(v[3] or 0) or 0, store_id = v[4] or '', holder = v[5] or '',
            writes = tonumber(v[6] or 0) or 0}
end

local function is_held_in(lease, epoch, writes)
    return lease.holder ~= '' and lease.epoch == tonumber(epoch)
        and lease.writes >= tonumber(writes)
end

local function version(keys, args)
    return VERSION
end

-- keys: lease, meta
local function look(keys, args)
    return answer(1, read(keys[1], keys[2]))
end

-- keys: lease, meta; args: the epoch and beat that were seen, lowest epoch to begin after, schema,
-- store_id for a store that has none, holder
local function acquire(keys, args)
    local lease = read(keys[1], keys[2])
    if lease.epoch ~= tonumber(args[1]) or lease.beat ~= tonumber(args[2]) then
        return answer(0, lease)
    end
    lease.epoch = math.max(lease.epoch, tonumber(args[3])) + 1
    lease.beat = lease.beat + 1
    lease.schema = math.max(lease.schema, tonumber(args[4]))
    if lease.store_id == '' then
        lease.store_id = args[5]
    end
    lease.holder = args[6]
    redis.call('HSET', keys[1], 'epoch', string.format('%d', lease.epoch), 'beat',
               string.format('%d', lease.beat), 'schema', string.format('%d', lease.schema),
               'store_id', lease.store_id, 'holder', lease.holder)
    return answer(1, lease)
end

-- keys: lease; args: epoch, writes that are known of
local function renew(keys, args)
    local lease = read(keys[1])
    if not is_held_in(lease, args[1], args[2]) then
        return answer(0, lease)
    end
    lease.beat = redis.call('HINCRBY', keys[1], 'beat', 1)
    return answer(1, lease)
end

-- keys: lease; args: epoch, writes that are known of
local function release(keys, args)
    local lease = read(keys[1])
    if not is_held_in(lease, args[1], args[2]) then
        return answer(0, lease)
    end
    lease.holder = ''
    redis.call('HSET', keys[1], 'holder', '')
    return answer(1, lease)
end

-- How many arguments each kind of operation takes, and the type of its key.
local TAKES = {P = 4, D = 3, A = 3}
local TYPE = {P = 'hash', D = 'hash', A = 'stream'}

-- Nothing is undone in here: what could fail half way is looked at first.
local function find_foreign(keys, args)
    local i = 4
    while i <= #args do
        local key = keys[tonumber(args[i + 1])]
        local found = redis.call('TYPE', key).ok
        if found ~= 'none' and found ~= TYPE[args[i]] then
            return 'WRONGTYPE ' .. key .. ' is a ' .. found .. ', not a ' .. TYPE[args[i]]
        end
        i = i + TAKES[args[i]]
    end
end

-- keys: lease, then tables and logs; args: epoch, writes that are known of, about how many entries
-- a log keeps, then operations: P key-number field text, D key-number field, A key-number text
local function commit(keys, args)
    local lease = read(keys[1])
    if not is_held_in(lease, args[1], args[2]) then
        return answer(0, lease)
    end
    local foreign = find_foreign(keys, args)
    if foreign then
        return redis.error_reply(foreign)
    end
    local i = 4
    while i <= #args do
        local kind, key = args[i], keys[tonumber(args[i + 1])]
        if kind == 'P' then
            redis.call('HSET', key, args[i + 2], args[i + 3])
        elseif kind == 'D' then
            redis.call('HDEL', key, args[i + 2])
        else
            redis.call('XADD', key, 'MAXLEN', '~', args[3], '*', 'e', args[i + 2])
        end
        i = i + TAKES[kind]
    end
    lease.writes = redis.call('HINCRBY', keys[1], 'writes', 1)
    return answer(1, lease)
end

-- Writes nothing, and is refused where a commit would be. keys: lease, then tables and logs; args:
-- the type of each of those
local function probe(keys, args)
    for i = 2, #keys do
        local found = redis.call('TYPE', keys[i]).ok
        if found ~= 'none' and found ~= args[i - 1] then
            return redis.error_reply('WRONGTYPE ' .. keys[i] .. ' is a ' .. found .. ', not a ' .. args[i - 1])
        end
    end
    return answer(1, read(keys[1]))
end

redis.register_function{function_name = 'hsched_version', callback = version, flags = {'no-writes'}}
redis.register_function{function_name = 'hsched_look', callback = look, flags = {'no-writes'}}
redis.register_function('hsched_acquire', acquire)
-- A lease that is held changes a few bytes in place: it is kept when Redis is out of memory.
redis.register_function{function_name = 'hsched_renew', callback = renew, flags = {'allow-oom'}}
redis.register_function{function_name = 'hsched_release', callback = release, flags = {'allow-oom'}}
redis.register_function('hsched_commit', commit)
redis.register_function('hsched_probe', probe)
-- The same for commits that only delete: they make room.
redis.register_function{function_name = 'hsched_delete', callback = commit, flags = {'allow-oom'}}
