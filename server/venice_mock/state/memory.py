"""The store in process, in dictionaries. Atomic: no verb awaits between its first read and last write."""

from __future__ import annotations

from collections import Counter, deque
from decimal import Decimal
from itertools import count as counter

from msgspec.structs import replace

from venice_mock.accounts.keys import Opening
from venice_mock.state.ledger import Ledger
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
    Window,
)

_SWEEP = 1000  # ours: counts between two looks for windows that nobody asks about any more


class MemoryStore:
    """State of one session in this process. Lost with it."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._openings: dict[str, Opening] = {}
        self._holds: dict[str, Hold] = {}
        self._void_holds: set[str] = set()  # of edits that were in work when the accounts were reset
        self._strikes: Counter[str] = Counter()
        self._ledgers: dict[str, Ledger] = {}
        self._payments: set[str] = set()
        self._paid_on_chain: dict[str, Decimal] = {}
        self._nonces: dict[tuple[str, str], float] = {}  # until when, in order of claiming
        self._windows: dict[str, tuple[float, deque[float]]] = {}  # by bucket: its length, what was counted
        self._counts = 0
        self._slots: Counter[str] = Counter()
        self._numbers = counter(1)
        self._clock = ClockState()

    async def open_account(self, account: str, opening: Opening) -> Account:
        """See Store."""
        if account not in self._accounts:
            self._openings[account] = opening  # the latest: a session's config may change
        return self._found(account)

    async def account(self, account: str) -> Account:
        """See Store."""
        return self._found(account)

    def _found(self, account: str) -> Account:
        # Openings outlive a reset: an edit that is under way then finds its account as it was opened.
        if account not in self._accounts:
            start = self._openings[account]
            self._accounts[account] = Account(
                account, start.balance, Decimal(0), Decimal(0), start.spend_limit, start.status
            )
        return self._accounts[account]

    async def hold(
        self, account: str, amount: Decimal, *, floor: Decimal = Decimal(0), clamp: bool = False
    ) -> Hold | NoHold:
        """See Store."""
        found = self._found(account)
        needed = floor if clamp else max(amount, floor)
        amount = min(amount, found.available) if clamp else amount
        if found.spend_limit is not None and found.spent + found.held + amount > found.spend_limit:
            return NoHold("spend_limit", found)
        if needed > found.available:
            return NoHold("balance", found)
        hold = Hold(f"hold-{next(self._numbers)}", account, amount)
        self._holds[hold.id] = hold
        self._accounts[account] = replace(found, held=found.held + amount)
        return hold

    async def settle(self, hold: Hold, *, now: float, request_id: str, model_id: str) -> Entry | None:
        """See Store."""
        if hold.id in self._void_holds:
            self._void_holds.discard(hold.id)
            return None
        kept = self._holds.pop(hold.id)
        found = self._accounts[kept.account]
        balance = found.balance - kept.amount
        self._accounts[kept.account] = replace(
            found, balance=balance, held=found.held - kept.amount, spent=found.spent + kept.amount
        )
        return self._book(kept.account, "CHARGE", -kept.amount, balance, now, request_id, model_id)

    async def release(self, hold: Hold) -> None:
        """See Store."""
        self._void_holds.discard(hold.id)
        kept = self._holds.pop(hold.id, None)
        if kept is not None:
            found = self._accounts[kept.account]
            self._accounts[kept.account] = replace(found, held=found.held - kept.amount)

    async def credit(
        self, account: str, payment: str, amount: Decimal, *, payer: str, funds: Decimal | None, now: float
    ) -> Entry | NoCredit:
        """See Store."""
        found = self._found(account)
        if payment in self._payments:
            return NoCredit("duplicate")
        paid = self._paid_on_chain.get(payer, Decimal(0)) + amount
        if funds is not None and paid > funds:
            return NoCredit("funds")
        self._payments.add(payment)
        self._paid_on_chain[payer] = paid
        balance = found.balance + amount
        self._accounts[account] = replace(found, balance=balance)
        return self._book(account, "TOP_UP", amount, balance, now, None, None)

    async def change_account(
        self, account: str, opening: Opening, change: AccountChange, *, now: float
    ) -> bool:
        """See Store."""
        found = await self.open_account(account, opening)
        balance = found.balance if change.balance is None else change.balance
        if balance < found.held:
            return False
        limit = found.spend_limit if change.spend_limit == "keep" else change.spend_limit
        self._accounts[account] = replace(
            found, balance=balance, spend_limit=limit, status=change.status or found.status
        )
        if balance != found.balance:
            self._book(account, "ADJUSTMENT", balance - found.balance, balance, now, None, None)
        return True

    async def strike(self, account: str, times: int) -> bool:
        """See Store."""
        self._strikes[account] += 1
        return self._strikes[account] <= times

    async def reset(self, parts: frozenset[Part]) -> None:
        """See Store."""
        if "accounts" in parts:
            self._void_holds |= self._holds.keys()
            for kept in (self._accounts, self._holds, self._ledgers, self._strikes):
                kept.clear()
            self._payments.clear()
            self._paid_on_chain.clear()
        if "nonces" in parts:
            self._nonces.clear()
        if "limits" in parts:
            self._windows.clear()
        if "clock" in parts:
            self._clock = ClockState()

    async def snapshot(self) -> Snapshot:
        """See Store."""
        return Snapshot(
            accounts=tuple(
                KeptAccount(
                    replace(found, held=Decimal(0)),
                    self._openings[name],
                    tuple(self._ledgers.get(name, ())),
                    self._strikes[name],
                )
                for name, found in self._accounts.items()
            ),
            payments=frozenset(self._payments),
            paid_on_chain=dict(self._paid_on_chain),
            nonces=tuple((owner, nonce, until) for (owner, nonce), until in self._nonces.items()),
            clock=self._clock,
        )

    async def restore(self, state: Snapshot) -> None:
        """See Store."""
        if state.accounts is not None:
            self._void_holds |= self._holds.keys()
            for emptied in (self._accounts, self._holds, self._ledgers, self._strikes, self._windows):
                emptied.clear()
            last = next(self._numbers)  # ids go on behind those of the file, and behind our own
            for kept in state.accounts:
                name = kept.account.id
                self._accounts[name], self._openings[name] = kept.account, kept.opening
                self._ledgers[name] = Ledger(kept.entries)
                self._strikes[name] = kept.strikes
                last = max(last, *(_number_of(entry) for entry in kept.entries), 0)
            self._numbers = counter(last + 1)
        if state.payments is not None:
            self._payments = set(state.payments)
        if state.paid_on_chain is not None:
            self._paid_on_chain = dict(state.paid_on_chain)
        if state.nonces is not None:
            self._nonces = {(owner, nonce): until for owner, nonce, until in state.nonces}
        if state.clock is not None:
            self._clock = state.clock

    async def claim_nonce(self, owner: str, nonce: str, *, life_s: float, now: float) -> bool:
        """See Store."""
        while self._nonces and (oldest := next(iter(self._nonces.items())))[1] < now:
            del self._nonces[oldest[0]]
        until = self._nonces.get((owner, nonce))
        free = until is None or until < now
        if free:
            self._nonces.pop((owner, nonce), None)
            self._nonces[owner, nonce] = now + life_s
        return free

    def _book(
        self,
        account: str,
        kind: EntryType,
        amount: Decimal,
        balance: Decimal,
        now: float,
        request_id: str | None,
        model_id: str | None,
    ) -> Entry:
        number = f"txn-{next(self._numbers):012d}"
        entry = Entry(number, kind, amount, balance, now, request_id, model_id)
        ledger = self._ledgers.get(account)
        if ledger is None:
            ledger = self._ledgers[account] = Ledger()
        ledger.append(entry)
        return entry

    async def entries(self, account: str, *, limit: int, offset: int) -> tuple[list[Entry], bool]:
        """See Store."""
        ledger = self._ledgers.get(account)
        return ([], False) if ledger is None else (ledger.newest(limit, offset), len(ledger) > offset + limit)

    async def count(
        self, bucket: str, *, window_s: float, now: float, add: int = 1, limit: int | None = None
    ) -> Window:
        """See Store."""
        self._counts += 1
        if self._counts % _SWEEP == 0:
            self._windows = {
                name: kept for name, kept in self._windows.items() if kept[1][-1] > now - kept[0]
            }
        _, times = self._windows.setdefault(bucket, (window_s, deque()))
        while times and times[0] <= now - window_s:
            times.popleft()
        while times and times[-1] > now + window_s:  # the clock was set back since
            times.pop()
        if limit is not None and len(times) + add > limit:
            if not times:
                del self._windows[bucket]
            return Window(len(times) + add, times[0] + window_s if times else now)
        times.extend([now] * add)
        held = len(times)
        resets_at = times[0] + window_s if times else now
        if not times:
            del self._windows[bucket]
        return Window(held, resets_at)

    async def take_slot(self, name: str, limit: int) -> bool:
        """See Store."""
        if self._slots[name] >= limit:
            return False
        self._slots[name] += 1
        return True

    async def give_slot(self, name: str) -> None:
        """See Store."""
        self._slots[name] -= 1
        if self._slots[name] <= 0:
            del self._slots[name]

    async def clock(self) -> ClockState:
        """See Store."""
        return self._clock

    async def set_clock(self, state: ClockState) -> None:
        """See Store."""
        self._clock = state

    async def advance_clock(self, seconds: float, *, most_frozen: float, most_offset_s: float) -> bool:
        """See Store."""
        if self._clock.frozen_at is None:
            moved = replace(self._clock, offset_s=self._clock.offset_s + seconds)
        else:
            moved = replace(self._clock, frozen_at=self._clock.frozen_at + seconds)
        if moved.offset_s > most_offset_s or (moved.frozen_at or 0) > most_frozen:
            return False
        self._clock = moved
        return True


def _number_of(entry: Entry) -> int:
    return int(entry.id.rpartition("-")[2])
