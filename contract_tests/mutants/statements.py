"""Mutants of the group ``x402`` balance and transactions."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from mutants.kit import Mutant, replaced, with_data, wrapping
from venice_mock.errors import ApiError
from venice_mock.wallet.desk import dollars
from venice_mock.wallet.world import normal

_SERVICE = "venice_mock.wallet.statements.StatementService"
_STORE = "venice_mock.state.memory.MemoryStore"
Route = Callable[..., Awaitable[dict[str, Any]]]


def _telling(change: Callable[[dict[str, Any]], None]) -> Callable[[Route], Route]:
    """The data of every answer is altered."""

    def wrap(route: Route) -> Route:
        async def told(*args: Any, **kwargs: Any) -> dict[str, Any]:
            answer = await route(*args, **kwargs)
            change(answer["data"])
            return answer

        return functools.wraps(route)(told)

    return wrap


def _refusing(change: Callable[[ApiError], None]) -> Callable[[Route], Route]:
    """Every refusal is altered."""

    def wrap(route: Route) -> Route:
        async def refused(*args: Any, **kwargs: Any) -> dict[str, Any]:
            try:
                return await route(*args, **kwargs)
            except ApiError as error:
                change(error)
                raise

        return functools.wraps(route)(refused)

    return wrap


def _status(old: int, new: int) -> Callable[[ApiError], None]:
    def change(error: ApiError) -> None:
        if error.status == old:
            error.status = new

    return change


def _open_to_all(route: Route) -> Route:
    """Whoever signs in may read: a stranger's 403 becomes an answer."""

    async def read(service: Any, wallet: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            return await route(service, wallet, *args, **kwargs)
        except ApiError as error:
            if error.status != 403:
                raise
            account = await service._account(normal(wallet))
            return {
                "success": True,
                "data": {"walletAddress": wallet, "currentBalance": dollars(account.balance)},
            }

    return functools.wraps(route)(read)


def _with_accepts(error: ApiError) -> None:
    if error.status == 402:
        error.body["accepts"] = [{"scheme": "exact"}]


def _without_challenge(error: ApiError) -> None:
    if error.status == 402:
        error.body.pop("extensions", None)


def _above_the_floor(data: dict[str, Any]) -> None:
    data["canConsume"] = data["balanceUsd"] > 0.1


def _with_anything(data: dict[str, Any]) -> None:
    data["canConsume"] = data["balanceUsd"] > 0


def _text_of_balance(data: dict[str, Any]) -> None:
    data["balanceUsd"] = f"{data['balanceUsd']:.6f}"


def _in_cents(data: dict[str, Any]) -> None:
    data["balanceUsd"] = round(data["balanceUsd"], 2)


def _no_more(data: dict[str, Any]) -> None:
    del data["pagination"]["hasMore"]


def _row_without(name: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for row in data["transactions"]:
            del row[name]

    return change


def _amounts_without_sign(data: dict[str, Any]) -> None:
    for row in data["transactions"]:
        row["amount"] = abs(row["amount"])


def _limits(name: str, value: int) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["x402"]["statements"][name] = value

    return change


def _paged(page: Callable[[list[Any], int, int], tuple[list[Any], bool]]) -> Callable[[Any], Any]:
    """Another way to cut a ledger, oldest row first, into pages."""

    def wrap(_entries: Any) -> Any:
        async def entries(store: Any, account: str, *, limit: int, offset: int) -> tuple[list[Any], bool]:
            return page(list(store._ledgers.get(account, ())), limit, offset)

        return entries

    return wrap


def _repeating(rows: list[Any], limit: int, offset: int) -> tuple[list[Any], bool]:
    newest, start = rows[::-1], max(0, offset - 1)
    return newest[start : start + limit], len(rows) > offset + limit


def _last_page_claims_more(rows: list[Any], limit: int, offset: int) -> tuple[list[Any], bool]:
    return rows[::-1][offset : offset + limit], len(rows) >= offset + limit


def _oldest_first(rows: list[Any], limit: int, offset: int) -> tuple[list[Any], bool]:
    return rows[offset : offset + limit], len(rows) > offset + limit


def _one_row_more(rows: list[Any], limit: int, offset: int) -> tuple[list[Any], bool]:
    return rows[::-1][offset : offset + limit + 1], len(rows) > offset + limit


def _balance_before(book: Any) -> Any:
    """A charge's row has the balance before it."""

    def booked(store: Any, account: str, kind: str, amount: Decimal, balance: Decimal, *rest: Any) -> Any:
        told = balance - amount if kind == "CHARGE" else balance
        return book(store, account, kind, amount, told, *rest)

    return booked


def _unbooked_top_up(credit: Any) -> Any:
    """A top-up raises the balance and leaves no row."""

    async def credited(store: Any, account: str, *args: Any, **kwargs: Any) -> Any:
        entry = await credit(store, account, *args, **kwargs)
        store._ledgers[account].recent.remove(entry)
        return entry

    return credited


def _racing(settle: Any) -> Any:
    """Edits that end together write balances that know nothing of one another: read, wait, write."""

    async def settled(store: Any, hold: Any, **kwargs: Any) -> Any:
        import asyncio

        balance = store._accounts[hold.account].balance
        await asyncio.sleep(0.02)
        entry = await settle(store, hold, **kwargs)
        if entry is not None:
            stale = balance - hold.amount
            store._accounts[hold.account] = replace(store._accounts[hold.account], balance=stale)
            store._ledgers[hold.account].recent[-1] = replace(entry, balance_after=stale)
        return entry

    return settled


def _anybody(route: Route) -> Route:
    """Reading without a sign-in is 401, as it would be with a bad one."""
    return _refusing(_status(402, 401))(route)


MUTANTS: tuple[Mutant, ...] = (
    wrapping(
        "X402-BAL-001",
        "balanceUsd is a text",
        f"{_SERVICE}.balance",
        _telling(_text_of_balance),
    ),
    wrapping("X402-BAL-001", "balances are rounded to cents", f"{_SERVICE}.balance", _telling(_in_cents)),
    wrapping(
        "X402-BAL-001",
        "suggestedTopUpUsd is not told",
        f"{_SERVICE}.balance",
        _telling(lambda data: data.pop("suggestedTopUpUsd")),
    ),
    wrapping("X402-BAL-002", "no sign-in is 401", f"{_SERVICE}.balance", _anybody, follows=("X402-BAL-006",)),
    wrapping(
        "X402-BAL-002",
        "a bad sign-in is 403",
        f"{_SERVICE}.balance",
        _refusing(_status(401, 403)),
        follows=("X402-SIW-026",),
    ),
    wrapping(
        "X402-BAL-002",
        "whoever signs in reads any balance",
        f"{_SERVICE}.balance",
        _open_to_all,
        follows=("MOCK-SRV-002",),
    ),
    wrapping(
        "X402-BAL-002", "a malformed address is 404", f"{_SERVICE}.balance", _refusing(_status(400, 404))
    ),
    wrapping("X402-BAL-002", "accepts has an offer", f"{_SERVICE}.balance", _refusing(_with_accepts)),
    wrapping(
        "X402-BAL-004", "just the floor is not enough", f"{_SERVICE}.balance", _telling(_above_the_floor)
    ),
    wrapping("X402-BAL-004", "anything at all is enough", f"{_SERVICE}.balance", _telling(_with_anything)),
    with_data("X402-BAL-005", "31 balances a minute", _limits("balance_per_minute", 31)),
    with_data("X402-BAL-005", "29 balances a minute", _limits("balance_per_minute", 29)),
    replaced(
        "X402-BAL-005",
        "a minute never ends",
        "venice_mock.wallet.statements._MINUTE",
        3600.0,
        follows=("X402-TXN-005", "X402-TOP-025"),
    ),
    wrapping("X402-BAL-006", "no challenge", f"{_SERVICE}.balance", _refusing(_without_challenge)),
    with_data("X402-TXN-001", "pages of up to 101 rows", _limits("page_max", 101)),
    with_data("X402-TXN-001", "pages of up to 99 rows", _limits("page_max", 99), follows=("X402-TXN-003",)),
    with_data("X402-TXN-001", "20 rows by default", _limits("page_default", 20)),
    wrapping("X402-TXN-001", "bad numbers are 422", f"{_SERVICE}.transactions", _refusing(_status(400, 422))),
    wrapping(
        "X402-TXN-001",
        "a row too many",
        f"{_STORE}.entries",
        _paged(_one_row_more),
        follows=("X402-TXN-003",),
    ),
    wrapping(
        "X402-TXN-002",
        "hasMore is not told",
        f"{_SERVICE}.transactions",
        _telling(_no_more),
        follows=("X402-TXN-003",),
    ),
    wrapping(
        "X402-TXN-002", "rows have no modelId", f"{_SERVICE}.transactions", _telling(_row_without("modelId"))
    ),
    wrapping(
        "X402-TXN-002",
        "rows have no createdAt",
        f"{_SERVICE}.transactions",
        _telling(_row_without("createdAt")),
        follows=("X402-TXN-004",),
    ),
    wrapping(
        "X402-TXN-003",
        "a page repeats the last row of the one before",
        f"{_STORE}.entries",
        _paged(_repeating),
        follows=("X402-TXN-001",),
    ),
    wrapping(
        "X402-TXN-003", "a full last page claims more", f"{_STORE}.entries", _paged(_last_page_claims_more)
    ),
    wrapping(
        "X402-TXN-003",
        "a charge's row has the balance before it",
        f"{_STORE}._book",
        _balance_before,
        follows=("EDIT-PAY-013", "EDIT-RSP-005"),  # headers tell the balance of the row
    ),
    wrapping(
        "X402-TXN-003",
        "top-ups leave no row",
        f"{_STORE}.credit",
        _unbooked_top_up,
        follows=("MOCK-SRV-002", "X402-TOP-020"),
    ),
    wrapping(
        "X402-TXN-003",
        "edits that end together overwrite each other",
        f"{_STORE}.settle",
        _racing,
        follows=(
            "EDIT-PAY-023",
            "MOCK-SRV-002",
        ),
    ),
    wrapping(
        "X402-TXN-003", "charges have no sign", f"{_SERVICE}.transactions", _telling(_amounts_without_sign)
    ),
    wrapping(
        "X402-TXN-004", "oldest first", f"{_STORE}.entries", _paged(_oldest_first), follows=("EDIT-PAY-027",)
    ),
    with_data("X402-TXN-005", "21 readings a minute", _limits("transactions_per_minute", 21)),
    with_data("X402-TXN-005", "19 readings a minute", _limits("transactions_per_minute", 19)),
    wrapping(
        "X402-TXN-006",
        "whoever signs in reads any ledger",
        f"{_SERVICE}.transactions",
        _open_to_all,
        follows=("MOCK-SRV-002",),
    ),
    wrapping("X402-TXN-006", "no sign-in is 401", f"{_SERVICE}.transactions", _anybody),
)
