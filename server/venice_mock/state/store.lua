-- The verbs of one session's store, each one indivisible step; store.py says what they promise.
--
-- KEYS[1] is what the names of the session's keys begin with. It has the session in braces, so that all of them
-- lie in one slot, and a script may make their names itself.
-- ARGV: the verb, how long an unused session is kept (ms), how long a hold or a place lasts (ms), the verb's own.
--
-- Money is decimal text outside. Inside it is three whole numbers - dollars, billionths of one, and billionths of
-- these - of which only the first is ever negative. Lua's own numbers are doubles, which would round.

local VERB, LIFE, LEASE = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local BASE, ZERO = 1000000000, {0, 0, 0}
local DAY, MANY = 86400000, 1000 -- milliseconds; arguments of one command
local call = redis.call
local PARTS = {
    'accounts', 'openings', 'holds', 'ends', 'strikes', 'payments', 'paid', 'nonces', 'windows', 'clock', 'numbers',
    'rules', 'rules-version', 'fired', 'rule-numbers', 'stories', 'journal', 'story-numbers', -- see shared.lua
}

local function key(name) return KEYS[1] .. name end

local function keep(name) call('PEXPIRE', key(name), LIFE) end

local function millis()
    local now = call('TIME')
    return tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
end

-- Whatever is used keeps all of its session alive: no part may expire before another.
local function freshen()
    if call('PTTL', key('alive')) > LIFE * 0.99 then return end
    for _, part in ipairs(PARTS) do keep(part) end
    for _, name in ipairs(call('HKEYS', key('accounts'))) do keep('ledger:' .. name) end
    call('SET', key('alive'), '1', 'PX', LIFE)
end

local function plus(a, b)
    local sum = {a[1] + b[1], a[2] + b[2], a[3] + b[3]}
    for place = 3, 2, -1 do
        if sum[place] >= BASE then sum[place], sum[place - 1] = sum[place] - BASE, sum[place - 1] + 1 end
    end
    return sum
end

local function minus(a, b)
    local rest = {a[1] - b[1], a[2] - b[2], a[3] - b[3]}
    for place = 3, 2, -1 do
        if rest[place] < 0 then rest[place], rest[place - 1] = rest[place] + BASE, rest[place - 1] - 1 end
    end
    return rest
end

local function less(a, b)
    for place = 1, 3 do
        if a[place] ~= b[place] then return a[place] < b[place] end
    end
    return false
end

local function most(a, b) if less(a, b) then return b end return a end

local function least(a, b) if less(b, a) then return b end return a end

local function read(text)
    local sign, whole, part = string.match(text, '^(%-?)(%d+)%.?(%d*)$')
    part = part .. string.rep('0', 18 - #part)
    local amount = {tonumber(whole), tonumber(string.sub(part, 1, 9)), tonumber(string.sub(part, 10, 18))}
    if sign == '-' then return minus(ZERO, amount) end
    return amount
end

local function show(amount)
    local sign = ''
    if amount[1] < 0 then sign, amount = '-', minus(ZERO, amount) end
    local text = string.format('%s%.0f.%09.0f%09.0f', sign, amount[1], amount[2], amount[3])
    return (string.gsub(string.gsub(text, '0+$', ''), '%.$', ''))
end

local function pack(account)
    local money = {show(account.balance), show(account.held), show(account.spent)}
    return table.concat(money, '|') .. '|' .. account.limit .. '|' .. account.status
end

local function save(name, account)
    call('HSET', key('accounts'), name, pack(account))
    keep('accounts')
end

-- Openings outlive a reset: an edit that is under way then finds its account as it was opened.
local function find(name)
    local packed = call('HGET', key('accounts'), name)
    if packed then
        local balance, held, spent, limit, status = string.match(packed, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$')
        return {balance = read(balance), held = read(held), spent = read(spent), limit = limit, status = status}
    end
    local opening = call('HGET', key('openings'), name)
    if not opening then return nil end
    local balance, limit, status = string.match(opening, '^([^|]*)|([^|]*)|(.*)$')
    local account = {balance = read(balance), held = ZERO, spent = ZERO, limit = limit, status = status}
    save(name, account)
    return account
end

local function open(name, opening)
    if call('HEXISTS', key('accounts'), name) == 0 then
        call('HSET', key('openings'), name, opening)
        keep('openings')
    end
    return find(name)
end

-- Takes a hold out; whose it was and how much, or nothing.
local function take_hold(id)
    local kept = call('HGET', key('holds'), id)
    if not kept then return nil end
    call('HDEL', key('holds'), id)
    call('ZREM', key('ends'), id)
    local amount, name = string.match(kept, '^([^|]*)|(.*)$')
    return name, read(amount)
end

local function give_back(id)
    local name, amount = take_hold(id)
    if not name then return end
    local account = find(name)
    account.held = minus(account.held, amount)
    save(name, account)
end

-- Holds whose edits never came back: their process ended, or lost its way here.
local function sweep()
    for _, id in ipairs(call('ZRANGEBYSCORE', key('ends'), '-inf', millis())) do give_back(id) end
end

local function book(name, kind, amount, balance, now, of)
    local number = string.format('txn-%012.0f', call('INCR', key('numbers')))
    local row = table.concat({number, kind, show(amount), show(balance), now, of}, '|')
    call('RPUSH', key('ledger:' .. name), row)
    keep('ledger:' .. name)
    keep('numbers')
    return row
end

local function drop_accounts()
    for _, name in ipairs(call('HKEYS', key('accounts'))) do call('UNLINK', key('ledger:' .. name)) end
    call('UNLINK', key('accounts'), key('holds'), key('ends'), key('strikes'))
end

local function drop_windows()
    call('INCR', key('windows')) -- those of the number before are never read again, and expire
    keep('windows')
end

local verbs = {}

function verbs.open_account(name, opening) return pack(open(name, opening)) end

function verbs.account(name)
    sweep()
    local account = find(name)
    return account and pack(account)
end

function verbs.hold(name, amount, floor, clamp, id)
    local kept = call('HGET', key('holds'), id)
    if kept then return {'held', string.match(kept, '^[^|]*')} end -- asked again, as the answer was lost
    sweep()
    local account = find(name)
    if not account then return false end
    local available = minus(account.balance, account.held)
    amount, floor = read(amount), read(floor)
    local needed = most(amount, floor)
    if clamp == '1' then needed, amount = floor, least(amount, available) end
    local promised = plus(account.held, amount)
    if account.limit ~= '' and less(read(account.limit), plus(account.spent, promised)) then
        return {'spend_limit', pack(account)}
    end
    if less(available, needed) then return {'balance', pack(account)} end
    account.held = promised
    save(name, account)
    call('HSET', key('holds'), id, show(amount) .. '|' .. name)
    call('ZADD', key('ends'), millis() + LEASE, id)
    keep('holds')
    keep('ends')
    return {'held', show(amount)}
end

-- `attempt` is of one call of the verb, however often it is sent: a hold is settled once, and its answer told again.
function verbs.settle(id, attempt, now, of)
    local done = key('done:' .. id)
    local before = call('GET', done)
    if before then
        if string.sub(before, 1, #attempt) ~= attempt then return {'gone'} end
        return {'settled', string.sub(before, #attempt + 1)}
    end
    local name, amount = take_hold(id)
    local row = ''
    if name then
        local account = find(name)
        account.balance = minus(account.balance, amount)
        account.held = minus(account.held, amount)
        account.spent = plus(account.spent, amount)
        save(name, account)
        row = book(name, 'CHARGE', minus(ZERO, amount), account.balance, now, of)
    end
    call('SET', done, attempt .. row, 'PX', LEASE)
    return {'settled', row}
end

function verbs.release(id)
    give_back(id)
    call('SET', key('done:' .. id), 'released', 'NX', 'PX', LEASE)
    return 1
end

function verbs.credit(name, payment, amount, payer, funds, now, of)
    local account = find(name)
    if not account then return false end
    if call('SISMEMBER', key('payments'), payment) == 1 then return {'duplicate'} end
    amount = read(amount)
    local paid = plus(read(call('HGET', key('paid'), payer) or '0'), amount)
    if funds ~= '' and less(read(funds), paid) then return {'funds'} end
    call('SADD', key('payments'), payment)
    call('HSET', key('paid'), payer, show(paid))
    keep('payments')
    keep('paid')
    account.balance = plus(account.balance, amount)
    save(name, account)
    return {'booked', book(name, 'TOP_UP', amount, account.balance, now, of)}
end

function verbs.change_account(name, opening, balance, limit, status, now, of)
    sweep()
    local account = open(name, opening)
    local before = account.balance
    if balance ~= '' then account.balance = read(balance) end
    if less(account.balance, account.held) then return 0 end
    if limit ~= 'keep' then account.limit = limit end
    if status ~= '' then account.status = status end
    save(name, account)
    local difference = minus(account.balance, before)
    if show(difference) ~= '0' then book(name, 'ADJUSTMENT', difference, account.balance, now, of) end
    return 1
end

function verbs.strike(name)
    local strikes = call('HINCRBY', key('strikes'), name, 1)
    keep('strikes')
    return strikes
end

function verbs.entries(name, limit, offset)
    local ledger, first = key('ledger:' .. name), tonumber(offset)
    local rows = call('LRANGE', ledger, -(first + tonumber(limit)), -(first + 1))
    return {call('LLEN', ledger), rows}
end

function verbs.reset(...)
    for _, part in ipairs({...}) do
        if part == 'accounts' then
            drop_accounts()
            call('UNLINK', key('payments'), key('paid'))
        elseif part == 'limits' then
            drop_windows()
        else
            call('UNLINK', key(part))
        end
    end
    return 1
end

function verbs.snapshot()
    local names, ledgers = call('HKEYS', key('accounts')), {}
    for at, name in ipairs(names) do ledgers[at] = {name, call('LRANGE', key('ledger:' .. name), 0, -1)} end
    return {
        call('HGETALL', key('accounts')), call('HGETALL', key('openings')), call('HGETALL', key('strikes')), ledgers,
        call('SMEMBERS', key('payments')), call('HGETALL', key('paid')),
        call('ZRANGE', key('nonces'), 0, -1, 'WITHSCORES'), call('HMGET', key('clock'), 'frozen', 'offset'),
    }
end

local function restore_accounts(accounts, last)
    drop_accounts()
    drop_windows()
    for _, kept in ipairs(accounts) do
        local name, account, opening, strikes, rows = unpack(kept)
        call('HSET', key('accounts'), name, account)
        call('HSET', key('openings'), name, opening)
        call('HSET', key('strikes'), name, strikes)
        for first = 1, #rows, MANY do
            call('RPUSH', key('ledger:' .. name), unpack(rows, first, math.min(first + MANY - 1, #rows)))
        end
    end
    if tonumber(last) > tonumber(call('GET', key('numbers')) or '0') then call('SET', key('numbers'), last) end
end

function verbs.restore(text)
    local state = cjson.decode(text)
    if state.accounts then restore_accounts(state.accounts, state.last) end
    if state.payments then
        call('UNLINK', key('payments'))
        for _, payment in ipairs(state.payments) do call('SADD', key('payments'), payment) end
    end
    if state.paid then
        call('UNLINK', key('paid'))
        for payer, amount in pairs(state.paid) do call('HSET', key('paid'), payer, amount) end
    end
    if state.nonces then
        call('UNLINK', key('nonces'))
        for _, each in ipairs(state.nonces) do call('ZADD', key('nonces'), each[2], each[1]) end
    end
    if state.clock then call('HSET', key('clock'), 'frozen', state.clock[1], 'offset', state.clock[2]) end
    call('UNLINK', key('alive'))
    freshen()
    return 1
end

function verbs.claim_nonce(nonce, now, ends)
    call('ZREMRANGEBYSCORE', key('nonces'), '-inf', '(' .. now)
    if call('ZSCORE', key('nonces'), nonce) then return 0 end
    call('ZADD', key('nonces'), ends, nonce)
    keep('nonces')
    return 1
end

function verbs.count(bucket, window, now, add, limit)
    local times = key('window:' .. (call('GET', key('windows')) or '0') .. ':' .. bucket)
    local moment, length = tonumber(now), tonumber(window)
    local function at(place) return tonumber(call('LINDEX', times, place) or nil) end
    if (at(-1) or moment) <= moment - length then call('UNLINK', times) end
    while (at(0) or moment) <= moment - length do call('LPOP', times) end
    while (at(-1) or moment) > moment + length do call('RPOP', times) end -- the clock was set back since
    local count = call('LLEN', times) + tonumber(add)
    if limit == '' or count <= tonumber(limit) then
        for _ = 1, tonumber(add) do call('RPUSH', times, now) end
        call('PEXPIRE', times, math.min(LIFE, DAY))
    end
    return {count, call('LINDEX', times, 0)}
end

-- Places are by token: one that was never given back frees itself when its time is over.
function verbs.take_slot(name, limit, token)
    local places, now = key('places:' .. name), millis()
    call('ZREMRANGEBYSCORE', places, '-inf', now)
    if call('ZSCORE', places, token) then return 1 end
    if call('ZCARD', places) >= tonumber(limit) then return 0 end
    call('ZADD', places, now + LEASE, token)
    call('PEXPIRE', places, LEASE)
    return 1
end

function verbs.give_slot(name, token) return call('ZREM', key('places:' .. name), token) end

function verbs.clock() return call('HMGET', key('clock'), 'frozen', 'offset') end

-- What whoever comes in is told first: the clock, and the version of the rules.
function verbs.look()
    local clock = verbs.clock()
    return {clock[1], clock[2], call('GET', key('rules-version')) or ''}
end

function verbs.set_clock(frozen, offset)
    call('HSET', key('clock'), 'frozen', frozen, 'offset', offset)
    keep('clock')
    return 1
end

function verbs.advance_clock(seconds, most_frozen, most_offset)
    local state = call('HMGET', key('clock'), 'frozen', 'offset')
    local frozen, offset = tonumber(state[1] or ''), tonumber(state[2] or '0')
    if frozen then frozen = frozen + tonumber(seconds) else offset = offset + tonumber(seconds) end
    if offset > tonumber(most_offset) or (frozen or 0) > tonumber(most_frozen) then return 0 end
    return verbs.set_clock(frozen and string.format('%.17g', frozen) or '', string.format('%.17g', offset))
end

-- An edit that is under way finds its account as it was opened, and what it still writes is soon gone.
function verbs.forget()
    drop_accounts()
    for _, part in ipairs(PARTS) do
        if part ~= 'openings' then call('UNLINK', key(part)) end
    end
    call('UNLINK', key('alive'))
    if call('PEXPIRE', key('openings'), LEASE) == 1 then call('SET', key('ended'), '1', 'PX', LEASE) end
    return 1
end

if call('EXISTS', key('ended')) == 1 then LIFE = LEASE elseif VERB ~= 'forget' then freshen() end
return verbs[VERB](unpack(ARGV, 4))
