"""Do the books agree with what the clients saw? Pure: claims and ledgers go in, sentences come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client knows of one booking: ``amount`` in USD is negative for an edit's charge.

    ``sure``: it was booked; else it may have been, once, as the client left or the store was lost. ``balance_after``
    is what the client was told, if it was. ``model``: None for a top-up. ``lost``: the store was, so that the money
    may still be held.
    """

    account: str
    amount: Decimal
    model: str | None
    sure: bool = True
    balance_after: Decimal | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a ledger as the server tells it. ``request``: of the edit that was charged; None for a top-up."""

    id: str
    amount: Decimal
    balance_after: Decimal
    model: str | None
    request: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """An account at the end, with its whole ledger, the oldest row first. All amounts in USD."""

    name: str
    opening: Decimal
    balance: Decimal
    held: Decimal
    spent: Decimal
    rows: tuple[Row, ...]


def differences(accounts: Sequence[Account], claims: Iterable[Claim]) -> list[str]:
    """A sentence for each thing that does not add up; none when all does."""
    of: dict[str, list[Claim]] = {account.name: [] for account in accounts}
    found: list[str] = []
    for claim in claims:
        if claim.account in of:
            of[claim.account].append(claim)
        else:
            found.append(f"{claim.account}: a client paid, and there is no such account")
    for account in accounts:
        found += [f"{account.name}: {each}" for each in _of_account(account, of[account.name])]
    return found + _booked_twice(accounts)


def _of_account(account: Account, claims: Sequence[Claim]) -> list[str]:
    found = list(_sums(account))
    most_held = sum((-claim.amount for claim in claims if claim.lost and claim.amount < 0), NOTHING)
    if not NOTHING <= account.held <= most_held:
        found.append(f"{account.held} is held though nothing is in work (at most {most_held} may be)")
    rest = Counter((row.amount, row.model, row.balance_after) for row in account.rows)
    for claim in claims:
        if not claim.sure or claim.balance_after is None:
            continue
        told = (claim.amount, claim.model, claim.balance_after)
        if rest[told] == 0:
            found.append(
                f"a client was told that {_what(claim.amount, claim.model)} left {claim.balance_after},"
                " and no row says so"
            )
        rest[told] -= 1
    return found + _counts(+rest, claims)


def _sums(account: Account) -> Iterable[str]:
    """The ledger by itself: each row follows from the one before, and the account from the last."""
    running = account.opening
    for row in account.rows:
        running += row.amount
        if row.balance_after != running:
            yield f"row {row.id} leaves {row.balance_after}, and {running} by its amount and the rows before it"
            running = row.balance_after
    if account.balance != running:
        yield f"the balance is {account.balance}, and {running} by the ledger"
    charged = -sum((row.amount for row in account.rows if row.amount < 0), NOTHING)
    if account.spent != charged:
        yield f"{account.spent} counts as spent, and {charged} by the ledger"


def _counts(rows: Mapping[tuple[Decimal, str | None, Decimal], int], claims: Sequence[Claim]) -> list[str]:
    """Rows that no client was told the balance of: as many as are sure at least, and at most those that may be more."""
    booked: Counter[tuple[Decimal, str | None]] = Counter()
    for (amount, model, _), count in rows.items():
        booked[amount, model] += count
    sure: Counter[tuple[Decimal, str | None]] = Counter()
    maybe: Counter[tuple[Decimal, str | None]] = Counter()
    for claim in claims:
        if claim.sure and claim.balance_after is None:
            sure[claim.amount, claim.model] += 1
        elif not claim.sure:
            maybe[claim.amount, claim.model] += 1
    found = []
    for kind in sorted(booked | sure | maybe, key=str):
        least, most = sure[kind], sure[kind] + maybe[kind]
        if not least <= booked[kind] <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            found.append(
                f"{_what(*kind)} is booked {booked[kind]} times without a word to a client, not {wanted}"
            )
    return found


def _booked_twice(accounts: Sequence[Account]) -> list[str]:
    rows = Counter(row.id for account in accounts for row in account.rows)
    edits = Counter(row.request for account in accounts for row in account.rows if row.request is not None)
    return [
        *(f"row {row} is in the ledgers {count} times" for row, count in rows.items() if count > 1),
        *(f"the edit {edit} was charged {count} times" for edit, count in edits.items() if count > 1),
    ]


def _what(amount: Decimal, model: str | None) -> str:
    return f"a top-up of {amount}" if model is None else f"{-amount} for {model}"
