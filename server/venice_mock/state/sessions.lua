-- The register of sessions, one step a verb; redis_sessions.py says what is what.
--
-- KEYS[1] is what the names of its keys begin with. ARGV: the verb, how long an unused session is kept (ms), the
-- verb's own. A record begins with its version and a bar.

local VERB, LIFE = ARGV[1], tonumber(ARGV[2])
local call = redis.call

local function key(name) return KEYS[1] .. name end

local function record_of(name) return call('GET', key('session:' .. name)) end

local function write(name, record)
    call('SET', key('session:' .. name), record, 'PX', LIFE)
    call('PEXPIRE', key('sessions'), LIFE)
end

-- The names in the order of their opening, those that were forgotten left out.
local function names()
    local found = {}
    for _, name in ipairs(call('ZRANGE', key('sessions'), 0, -1)) do
        if call('EXISTS', key('session:' .. name)) == 1 then
            found[#found + 1] = name
        else
            call('ZREM', key('sessions'), name)
        end
    end
    return found
end

local verbs = {}

function verbs.find(name)
    local record = record_of(name)
    if record and call('PTTL', key('session:' .. name)) < LIFE * 0.99 then write(name, record) end
    return record
end

function verbs.add(name, record, most)
    if record_of(name) then return 'taken' end
    if call('ZCARD', key('sessions')) >= tonumber(most) and #names() >= tonumber(most) then return 'full' end
    call('ZADD', key('sessions'), call('INCR', key('opened')), name)
    call('PEXPIRE', key('opened'), LIFE)
    write(name, record)
    return 'added'
end

-- In the place of the record of that version; the empty version is that of none.
function verbs.replace(name, version, record)
    local before = record_of(name)
    if (before and string.match(before, '^[^|]*') or '') ~= version then return 0 end
    write(name, record)
    return 1
end

function verbs.remove(name)
    local record = record_of(name)
    call('DEL', key('session:' .. name))
    call('ZREM', key('sessions'), name)
    return record
end

function verbs.list()
    local found = {}
    for at, name in ipairs(names()) do found[at] = {name, record_of(name)} end
    return found
end

-- What each process counted since its start, by a name that it drew, behind the number of the telling and a bar; and
-- what is there now, for so long as is to be believed (ms).
function verbs.tell_counts(process, number, counted, present, silence)
    local before = call('HGET', key('counted'), process)
    if before and tonumber(string.match(before, '^%d+')) >= tonumber(number) then return 0 end
    call('HSET', key('counted'), process, number .. '|' .. counted)
    call('PEXPIRE', key('counted'), LIFE)
    if present == '' then
        call('DEL', key('present:' .. process))
    else
        call('SET', key('present:' .. process), present, 'PX', tonumber(silence))
    end
    return 1
end

function verbs.counts()
    local found, flat = {}, call('HGETALL', key('counted'))
    for at = 1, #flat, 2 do
        local counted = string.match(flat[at + 1], '^%d+|(.*)$')
        found[#found + 1] = {flat[at], counted, call('GET', key('present:' .. flat[at])) or ''}
    end
    return {#names(), found}
end

-- Whether writes are taken, and the options of whoever was here last if they are others than these.
function verbs.check(options, kept)
    local before = call('GET', key('options'))
    call('SET', key('options'), options, 'PX', kept)
    return before ~= options and before or false
end

return verbs[VERB](unpack(ARGV, 3))
