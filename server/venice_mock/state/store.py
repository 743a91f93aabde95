"""The store's interface: atomic verbs over everything mutable of one session, and the values they speak in.

Each verb is one indivisible step, so that a shared store can stand behind the same words: no caller may
read, decide and then write across two of them. All amounts are USD as Decimal; all times Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from venice_mock.accounts.keys import Opening

EntryType = Literal["CHARGE", "TOP_UP", "REFUND"]


@dataclass(frozen=True, slots=True)
class Account:
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


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a ledger: ``amount`` is signed, ``balance_after`` the balance once it was booked."""

    id: str
    type: EntryType
    amount: Decimal
    balance_after: Decimal
    created_at: float
    request_id: str | None
    model_id: str | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Money promised and not yet taken: settle it or release it, once."""

    id: str
    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class NoHold:
    """Why a hold was refused, and the account as it stood."""

    reason: Literal["balance", "spend_limit"]
    account: Account


@dataclass(frozen=True, slots=True)
class Window:
    """A counting window: how many were counted in it, this one included, and when the oldest leaves it."""

    count: int
    resets_at: float


class Store(Protocol):
    """Everything mutable of one session."""

    async def open_account(self, account: str, opening: Opening) -> Account:
        """The account, made from ``opening`` the first time it is asked for."""
        ...

    async def account(self, account: str) -> Account:
        """The account as it stands. KeyError: no such account."""
        ...

    async def hold(self, account: str, amount: Decimal) -> Hold | NoHold:
        """Promise ``amount`` if balance less holds and spend limit allow it. KeyError: no such account."""
        ...

    async def settle(self, hold: Hold, *, now: float, request_id: str, model_id: str) -> Entry:
        """Take the held amount and book it as a CHARGE. KeyError: settled or released before."""
        ...

    async def release(self, hold: Hold) -> None:
        """Give the held amount back. Does nothing if it was settled or released before."""
        ...

    async def entries(self, account: str, *, limit: int, offset: int) -> tuple[list[Entry], bool]:
        """Ledger rows, newest first, and whether there are more."""
        ...

    async def count(self, bucket: str, *, window_s: float, now: float, add: int = 1) -> Window:
        """Count ``add`` events in the sliding window of ``bucket`` and tell how many it now holds."""
        ...

    async def take_slot(self, name: str, limit: int) -> bool:
        """Take one of ``limit`` places under ``name``; False when all are taken."""
        ...

    async def give_slot(self, name: str) -> None:
        """Give a place back."""
        ...
