"""The store's interface: atomic verbs over everything mutable of one session, and the values they speak in.

Each verb is one indivisible step, so that a shared store can stand behind the same words: no caller may
read, decide and then write across two of them. All amounts are USD as Decimal; all times Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from venice_mock.accounts.keys import Opening

EntryType = Literal["CHARGE", "TOP_UP", "REFUND", "ADJUSTMENT"]  # the last: set through the control plane
Part = Literal["accounts", "nonces", "limits", "clock"]


class Account(msgspec.Struct, frozen=True):
    """One account at one moment. ``held`` is promised to edits in work, ``available`` may be."""

    id: str
    balance: Decimal
    held: Decimal
    spent: Decimal
    spend_limit: Decimal | None
    status: str

    @property
    def available(self) -> Decimal:
        """Balance less what is held."""
        return self.balance - self.held


class Entry(msgspec.Struct, frozen=True):
    """One row of a ledger: ``amount`` is signed, ``balance_after`` the balance once it was booked."""

    id: str
    type: EntryType
    amount: Decimal
    balance_after: Decimal
    created_at: float
    request_id: str | None
    model_id: str | None


class Hold(msgspec.Struct, frozen=True):
    """Money promised and not yet taken: settle it or release it, once."""

    id: str
    account: str
    amount: Decimal


class NoHold(msgspec.Struct, frozen=True):
    """Why a hold was refused, and the account as it stood."""

    reason: Literal["balance", "spend_limit"]
    account: Account


class AccountChange(msgspec.Struct, frozen=True):
    """What of an account is to be another: None and ``keep`` leave it as it is."""

    balance: Decimal | None = None
    spend_limit: Decimal | Literal["keep"] | None = "keep"
    status: str | None = None


class NoCredit(msgspec.Struct, frozen=True):
    """Why a payment was not booked: it was before, or the payer has not enough on the simulated chain."""

    reason: Literal["duplicate", "funds"]


class Window(msgspec.Struct, frozen=True):
    """A counting window: how many were counted in it, this one included, and when the oldest leaves it."""

    count: int
    resets_at: float


class ClockState(msgspec.Struct, frozen=True):
    """How a session's clock differs from the wall's: it stands at ``frozen_at``, or runs ``offset_s`` ahead."""

    frozen_at: float | None = None
    offset_s: float = 0.0

    def at(self, wall: float) -> float:
        """The session's time when the wall clock shows ``wall``."""
        return wall + self.offset_s if self.frozen_at is None else self.frozen_at


class KeptAccount(msgspec.Struct, frozen=True):
    """An account with all that belongs to it, nothing held. ``entries``: its ledger, the oldest first."""

    account: Account
    opening: Opening
    entries: tuple[Entry, ...] = ()
    strikes: int = 0


class Snapshot(msgspec.Struct, frozen=True):
    """A store's state, or parts of it: None is left as it is.

    ``payments``: ids of those that were booked. ``paid_on_chain``: USD by payer. ``nonces``: owner, nonce and until
    when it is used up, in the order of claiming.
    """

    accounts: tuple[KeptAccount, ...] | None = None
    payments: frozenset[str] | None = None
    paid_on_chain: Mapping[str, Decimal] | None = None
    nonces: tuple[tuple[str, str, float], ...] | None = None
    clock: ClockState | None = None


class StoreUnavailable(Exception):
    """The store is lost, or too slow: what was asked for may or may not have been done, but never twice."""


class Store(Protocol):
    """Everything mutable of one session. Verbs of a store outside the process may raise StoreUnavailable."""

    async def open_account(self, account: str, opening: Opening) -> Account:
        """The account, made from ``opening`` the first time it is asked for."""
        ...

    async def account(self, account: str) -> Account:
        """The account as it stands. KeyError: no such account."""
        ...

    async def hold(
        self, account: str, amount: Decimal, *, floor: Decimal = Decimal(0), clamp: bool = False
    ) -> Hold | NoHold:
        """Promise ``amount`` if balance less holds and spend limit allow it. KeyError: no such account.

        ``floor``: the least that must be available, whatever the amount. ``clamp``: the floor alone admits,
        and no more than what is available is promised.
        """
        ...

    async def settle(self, hold: Hold, *, now: float, request_id: str, model_id: str) -> Entry | None:
        """Take the held amount and book it as a CHARGE. KeyError: settled or released before.

        None, and nothing is booked: the accounts were reset since the hold, or it ended by itself, as holds
        in a shared store do that nobody settles.
        """
        ...

    async def release(self, hold: Hold) -> None:
        """Give the held amount back. Does nothing if it was settled or released before.

        A shared store that cannot be reached says nothing: the hold then ends by itself.
        """
        ...

    async def change_account(
        self, account: str, opening: Opening, change: AccountChange, *, now: float
    ) -> bool:
        """Open the account if need be and change it; another balance is booked as an ADJUSTMENT.

        False, and nothing is changed: the balance would not cover what is held.
        """
        ...

    async def strike(self, account: str, times: int) -> bool:
        """Whether this is one of the account's first ``times`` calls of this verb."""
        ...

    async def reset(self, parts: frozenset[Part]) -> None:
        """Put parts back to their beginning.

        ``accounts``: as they were opened, without holds, ledger, payments (also on the simulated chain) and
        strikes. ``nonces``: none used. ``limits``: nothing counted in any window. ``clock``: the wall's. Places
        taken with ``take_slot`` stay taken: their takers are still at work and give them back themselves.
        """
        ...

    async def snapshot(self) -> Snapshot:
        """Everything but counting windows, places and holds, whose edits are still at work."""
        ...

    async def restore(self, state: Snapshot) -> None:
        """Replace what ``state`` has. With accounts, holds end as at a reset, and nothing is counted in any window."""
        ...

    async def entries(self, account: str, *, limit: int, offset: int) -> tuple[list[Entry], bool]:
        """Ledger rows, newest first, and whether there are more."""
        ...

    async def credit(
        self, account: str, payment: str, amount: Decimal, *, payer: str, funds: Decimal | None, now: float
    ) -> Entry | NoCredit:
        """Book ``payment`` as a TOP_UP, once for ever. KeyError: no such account.

        ``funds``: what ``payer`` holds on the simulated chain before any payment; None is without end.
        """
        ...

    async def claim_nonce(self, owner: str, nonce: str, *, life_s: float, now: float) -> bool:
        """Use ``nonce`` up for ``life_s`` seconds, both ends included; False when ``owner`` used it before."""
        ...

    async def count(
        self, bucket: str, *, window_s: float, now: float, add: int = 1, limit: int | None = None
    ) -> Window:
        """Count ``add`` events in the sliding window of ``bucket`` and tell how many it now holds.

        Events that would pass ``limit`` are told in the count and not kept: who is refused and then waits as
        long as told is served.
        """
        ...

    async def take_slot(self, name: str, limit: int) -> bool:
        """Take one of ``limit`` places under ``name``; False when all are taken."""
        ...

    async def give_slot(self, name: str) -> None:
        """Give a place back. In a shared store that cannot be reached it frees itself."""
        ...

    async def clock(self) -> ClockState:
        """The session's clock."""
        ...

    async def set_clock(self, state: ClockState) -> None:
        """Replace the clock's state."""
        ...

    async def advance_clock(self, seconds: float, *, most_frozen: float, most_offset_s: float) -> bool:
        """Move the clock on, whether it stands or runs; False, and not moved, where it would pass either limit."""
        ...
