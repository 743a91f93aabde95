-- A session's rules and the stories of its requests, one indivisible step a verb; redis_rules.py and
-- redis_journal.py say what is what.
--
-- KEYS[1] is what the names of the session's keys begin with. ARGV: the verb, how long an unused session is kept
-- (ms), the verb's own. That a session is used, and that it is over, store.lua sees to.

local VERB, LIFE = ARGV[1], tonumber(ARGV[2])
local call = redis.call

local function key(name) return KEYS[1] .. name end

local function keep(name) call('PEXPIRE', key(name), LIFE) end

local function whole(number) return string.format('%.0f', number) end

local verbs = {}

-- Rules: a text that the processes read, its version, and by the marks of rules how often each fired.

local function version() return call('GET', key('rules-version')) or '' end

function verbs.rules()
    return {version(), call('GET', key('rules')) or '[]', call('HGETALL', key('fired'))}
end

-- In the place of the rules of that version. Then by pairs: a rule's mark, and how often it fired if it is new here.
function verbs.change_rules(before, after, text, ...)
    if version() ~= before then return 0 end
    local told, counts = {...}, {}
    for at = 1, #told, 2 do counts[at] = call('HGET', key('fired'), told[at]) or told[at + 1] end
    call('UNLINK', key('fired'))
    for at = 1, #told, 2 do call('HSET', key('fired'), told[at], counts[at]) end
    call('SET', key('rules'), text, 'PX', LIFE)
    call('SET', key('rules-version'), after, 'PX', LIFE)
    keep('fired')
    return 1
end

-- By pairs, the first counts: a rule's mark, and how many requests it steers (none: all).
function verbs.fire(known, ...)
    if version() ~= known then return {'changed'} end
    local told = {...}
    for at = 1, #told, 2 do
        local fired = tonumber(call('HGET', key('fired'), told[at]) or '0')
        if told[at + 1] == '' or fired < tonumber(told[at + 1]) then
            return {'fired', told[at], call('HINCRBY', key('fired'), told[at], 1)}
        end
    end
    return {'none'}
end

function verbs.give_back(mark)
    if call('HEXISTS', key('fired'), mark) == 1 then call('HINCRBY', key('fired'), mark, -1) end
    return 1
end

function verbs.rule_number()
    local number = call('INCR', key('rule-numbers'))
    keep('rule-numbers')
    return number
end

-- Stories: a stream whose ids are their numbers. Their bytes, and what is to be known of those that are not in it
-- any more, lie in the hash `journal`.

-- Drawn by who comes first; another one means that the server lost its memory, and numbers begin again.
local function epoch()
    local now = call('TIME')
    call('HSETNX', key('journal'), 'epoch', now[1] .. '.' .. now[2])
    keep('journal')
    return call('HGET', key('journal'), 'epoch')
end

local function oldest() return call('XRANGE', key('stories'), '-', '+', 'COUNT', 1)[1] end

local function size_of(entry) return #entry[2][4] end

-- `took`: microseconds since the request began. `lost`: stories that could not be brought here before.
function verbs.write(record, took, most, lost)
    local number, now = call('INCR', key('story-numbers')), call('TIME')
    local began = whole(tonumber(now[1]) * 1000000 + tonumber(now[2]) - tonumber(took))
    call('XADD', key('stories'), whole(number) .. '-0', 'began', began, 'story', record)
    local bytes = call('HINCRBY', key('journal'), 'bytes', #record)
    if lost ~= '0' then call('HINCRBY', key('journal'), 'lost', lost) end
    while bytes > tonumber(most) do
        local first = oldest()
        call('XDEL', key('stories'), first[1])
        bytes = call('HINCRBY', key('journal'), 'bytes', -size_of(first))
    end
    keep('stories')
    keep('story-numbers')
    return {epoch(), number, began}
end

local function last() return call('GET', key('story-numbers')) or '0' end

function verbs.stories(after, count)
    local first = oldest()
    local from = whole(tonumber(after) + 1) .. '-0'
    return {
        epoch(), last(), first and first[1] or '', call('HMGET', key('journal'), 'cleared', 'charges_from', 'lost'),
        call('XRANGE', key('stories'), from, '+', 'COUNT', count),
    }
end

function verbs.wipe()
    call('UNLINK', key('stories'))
    call('HSET', key('journal'), 'cleared', last(), 'bytes', '0', 'lost', '0')
    keep('journal')
    return 1
end

function verbs.charge_from_here()
    call('HSET', key('journal'), 'charges_from', last())
    keep('journal')
    return 1
end

return verbs[VERB](unpack(ARGV, 3))
