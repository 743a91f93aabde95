"""The store on Redis or Valkey, shared by any number of processes and machines: ``store.lua`` behind the verbs.

Every verb is one script, which the server runs as one step. Holds and places end by themselves after a while, as
the process that took them may be gone; a session that nobody uses is forgotten. Amounts are exact to 18 decimals.

The clock is read with the session's record, when a request comes in: whoever sets it is obeyed by all that come
afterwards. Requests that are in work meanwhile go by the clock as it was seen last.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

from venice_mock.accounts.keys import Opening, Status
from venice_mock.state.journal import Budget
from venice_mock.state.redis_journal import RedisJournal
from venice_mock.state.redis_link import Call, RedisLink, Script
from venice_mock.state.redis_rules import RedisRules
from venice_mock.state.store import (
    Account,
    AccountChange,
    ClockState,
    Entry,
    EntryType,
    Hold,
    KeptAccount,
    NoCredit,
    NoHold,
    Part,
    Snapshot,
    StoreUnavailable,
    Window,
)

LIFE_S = 7 * 86_400.0  # ours: so long an unused session is kept
LEASE_S = 900.0  # ours: longer than any edit takes, the longest latency included
_DECIMALS = 18
_MOST_USD = 10**15  # whole dollars that a double holds exactly, and then some
_BETWEEN = "\n"  # owner and nonce; in neither


@cache
def script(name: str) -> Script:
    """The Lua file of that name beside this one."""
    return Script(Path(__file__).with_name(name).read_text("utf-8"))


class RedisStore:
    """State of one session. ``prefix``: what the names of its keys begin with, the session in braces."""

    def __init__(
        self, link: RedisLink, prefix: str, *, life_s: float = LIFE_S, lease_s: float = LEASE_S
    ) -> None:
        self._link = link
        self._prefix = prefix
        self._times = (round(life_s * 1000), round(lease_s * 1000))
        self._places: defaultdict[str, list[str]] = defaultdict(list)  # tokens of those taken here
        self._seen: ClockState | None = None  # as it was told last; None: it has to be asked for
        self.rules = RedisRules(self._run_shared)

    def journal(self, budget: Budget, limit: int) -> RedisJournal:
        """See SharedStore."""
        return RedisJournal(self._run_shared, budget, limit)

    @property
    def look(self) -> Call:
        """What is asked of the session whenever a request comes in."""
        return script("store.lua"), self._prefix, ("look", *self._times)

    async def saw(self, told: Sequence[Any] | None) -> None:
        """The answer; None: there is none."""
        self._seen = None if told is None else _clock(told[:2])
        if told is not None:
            await self.rules.learn(told[2])

    async def _run_shared(self, verb: str, *arguments: str | int, again: bool, long: bool = False) -> Any:
        life = self._times[0]
        return await self._link.run(
            script("shared.lua"), self._prefix, verb, life, *arguments, again=again, long=long
        )

    async def _run(
        self, verb: str, *arguments: str | int, again: bool, long: bool = False, writes: bool = False
    ) -> Any:
        asked = (verb, *self._times, *arguments)
        lua = script("store.lua")
        return await self._link.run(lua, self._prefix, *asked, again=again, long=long, writes=writes)

    async def open_account(self, account: str, opening: Opening) -> Account:
        """See Store."""
        return _account(account, await self._run("open_account", account, _packed(opening), again=True))

    async def account(self, account: str) -> Account:
        """See Store."""
        return _account(account, _known(account, await self._run("account", account, again=True)))

    async def hold(
        self, account: str, amount: Decimal, *, floor: Decimal = Decimal(0), clamp: bool = False
    ) -> Hold | NoHold:
        """See Store."""
        name = f"hold-{secrets.token_hex(16)}"  # never one from before the server lost its memory
        asked = (account, _text(amount), _text(floor), "1" if clamp else "", name)
        what, told = _known(account, await self._run("hold", *asked, again=True))
        return Hold(name, account, Decimal(told)) if what == "held" else NoHold(what, _account(account, told))

    async def settle(self, hold: Hold, *, now: float, request_id: str, model_id: str) -> Entry | None:
        """See Store."""
        attempt = secrets.token_hex(16)
        asked = (hold.id, attempt, repr(now), _of(request_id, model_id))
        what, *row = await self._run("settle", *asked, again=True, writes=True)
        if what == "gone":
            raise KeyError(hold.id)
        return _entry(row[0]) if row[0] else None

    async def release(self, hold: Hold) -> None:
        """See Store."""
        with suppress(StoreUnavailable):  # it ends by itself
            await self._run("release", hold.id, again=True)

    async def credit(
        self, account: str, payment: str, amount: Decimal, *, payer: str, funds: Decimal | None, now: float
    ) -> Entry | NoCredit:
        """See Store."""
        limit = "" if funds is None else _text(funds)
        asked = (account, payment, _text(amount), payer, limit, repr(now), _of(None, None))
        what, *row = _known(account, await self._run("credit", *asked, again=False))
        return _entry(row[0]) if what == "booked" else NoCredit(what)

    async def change_account(
        self, account: str, opening: Opening, change: AccountChange, *, now: float
    ) -> bool:
        """See Store."""
        balance = "" if change.balance is None else _text(change.balance)
        limit = "keep" if change.spend_limit == "keep" else _limit(change.spend_limit)
        asked = (account, _packed(opening), balance, limit, change.status or "", repr(now), _of(None, None))
        return bool(await self._run("change_account", *asked, again=False))

    async def strike(self, account: str, times: int) -> bool:
        """See Store."""
        strikes: int = await self._run("strike", account, again=False)
        return strikes <= times

    async def reset(self, parts: frozenset[Part]) -> None:
        """See Store."""
        await self._run("reset", *sorted(parts), again=True)
        self._seen = None

    async def entries(self, account: str, *, limit: int, offset: int) -> tuple[list[Entry], bool]:
        """See Store."""
        held, rows = await self._run("entries", account, limit, offset, again=True)
        return [_entry(row) for row in reversed(rows)], held > offset + limit

    async def claim_nonce(self, owner: str, nonce: str, *, life_s: float, now: float) -> bool:
        """See Store."""
        asked = (owner + _BETWEEN + nonce, repr(now), repr(now + life_s))
        return bool(await self._run("claim_nonce", *asked, again=False))

    async def count(
        self, bucket: str, *, window_s: float, now: float, add: int = 1, limit: int | None = None
    ) -> Window:
        """See Store."""
        asked = (bucket, repr(window_s), repr(now), add, "" if limit is None else limit)
        counted, oldest = await self._run("count", *asked, again=add == 0)
        return Window(counted, now if oldest is None else float(oldest) + window_s)

    async def take_slot(self, name: str, limit: int) -> bool:
        """See Store."""
        token = secrets.token_hex(16)
        taken = bool(await self._run("take_slot", name, limit, token, again=True))
        if taken:
            self._places[name].append(token)
        return taken

    async def give_slot(self, name: str) -> None:
        """See Store."""
        taken = self._places[name]
        token = taken.pop(0)
        if not taken:
            del self._places[name]
        with suppress(StoreUnavailable):  # it frees itself
            await self._run("give_slot", name, token, again=True)

    async def clock(self) -> ClockState:
        """See Store."""
        return self._seen or _clock(await self._run("clock", again=True))

    async def set_clock(self, state: ClockState) -> None:
        """See Store."""
        await self._run("set_clock", *_clock_texts(state), again=True)
        self._seen = None

    async def advance_clock(self, seconds: float, *, most_frozen: float, most_offset_s: float) -> bool:
        """See Store."""
        asked = (repr(seconds), repr(most_frozen), repr(most_offset_s))
        self._seen = None
        return bool(await self._run("advance_clock", *asked, again=False))

    async def snapshot(self) -> Snapshot:
        """See Store."""
        told = await self._run("snapshot", again=True, long=True)
        accounts, openings, strikes, ledgers, payments, paid, nonces, clock = told
        opened, struck, rows = _pairs(openings), _pairs(strikes), dict(ledgers)
        return Snapshot(
            accounts=tuple(
                KeptAccount(
                    _account(name, packed, nothing_held=True),
                    _opening(opened[name]),
                    tuple(map(_entry, rows[name])),
                    int(struck.get(name, 0)),
                )
                for name, packed in sorted(_pairs(accounts).items())
            ),
            payments=frozenset(payments),
            paid_on_chain={payer: Decimal(amount) for payer, amount in _pairs(paid).items()},
            nonces=tuple(
                (*cast(tuple[str, str], tuple(name.split(_BETWEEN, 1))), float(until))
                for name, until in _pairs(nonces).items()
            ),
            clock=_clock(clock),
        )

    async def restore(self, state: Snapshot) -> None:
        """See Store."""
        said: dict[str, Any] = {}
        if state.accounts is not None:
            said["accounts"] = [
                (
                    kept.account.id,
                    _packed_account(kept.account),
                    _packed(kept.opening),
                    str(kept.strikes),
                    [_row(entry) for entry in kept.entries],
                )
                for kept in state.accounts
            ]
            numbers = [int(entry.id.rpartition("-")[2]) for kept in state.accounts for entry in kept.entries]
            said["last"] = str(max(numbers, default=0))
        if state.payments is not None:
            said["payments"] = sorted(state.payments)
        if state.paid_on_chain is not None:
            said["paid"] = {payer: _text(amount) for payer, amount in state.paid_on_chain.items()}
        if state.nonces is not None:
            said["nonces"] = [(owner + _BETWEEN + nonce, repr(until)) for owner, nonce, until in state.nonces]
        if state.clock is not None:
            said["clock"] = _clock_texts(state.clock)
        await self._run("restore", json.dumps(said, ensure_ascii=False), again=True, long=True)
        self._seen = None

    async def forget(self) -> None:
        """Remove all keys of the session."""
        await self._run("forget", again=True)


def _text(amount: Decimal) -> str:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS or abs(amount) >= _MOST_USD:
        raise ValueError(f"The store holds US dollars with at most {_DECIMALS} decimals, not {amount}.")
    return f"{amount:f}"


def _limit(amount: Decimal | None) -> str:
    return "" if amount is None else _text(amount)


def _packed(opening: Opening) -> str:
    return f"{_text(opening.balance)}|{_limit(opening.spend_limit)}|{opening.status}"


def _opening(packed: str) -> Opening:
    balance, limit, status = packed.split("|")
    return Opening(Decimal(balance), Decimal(limit) if limit else None, cast(Status, status))


def _packed_account(account: Account) -> str:
    money = (_text(account.balance), "0", _text(account.spent), _limit(account.spend_limit))
    return "|".join((*money, account.status))


def _account(name: str, packed: str, *, nothing_held: bool = False) -> Account:
    balance, held, spent, limit, status = packed.split("|")
    return Account(
        name,
        Decimal(balance),
        Decimal(0 if nothing_held else held),
        Decimal(spent),
        Decimal(limit) if limit else None,
        status,
    )


def _of(request_id: str | None, model_id: str | None) -> str:
    return json.dumps([request_id, model_id])


def _row(entry: Entry) -> str:
    money = (_text(entry.amount), _text(entry.balance_after))
    return "|".join(
        (entry.id, entry.type, *money, repr(entry.created_at), _of(entry.request_id, entry.model_id))
    )


def _entry(row: str) -> Entry:
    number, kind, amount, balance, created_at, of = row.split("|", 5)
    request_id, model_id = json.loads(of)
    return Entry(
        number,
        cast(EntryType, kind),
        Decimal(amount),
        Decimal(balance),
        float(created_at),
        request_id,
        model_id,
    )


def _clock(told: Sequence[str | None]) -> ClockState:
    frozen, offset = told
    return ClockState(float(frozen) if frozen else None, float(offset or 0))


def _clock_texts(state: ClockState) -> tuple[str, str]:
    return "" if state.frozen_at is None else repr(state.frozen_at), repr(state.offset_s)


def _known(account: str, told: Any) -> Any:
    if told is None:
        raise KeyError(account)
    return told


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
