"""Mutants of the group ``billing``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from mutants.kit import Answer, Mutant, answering, wrapping
from venice_mock.accounts.callers import signs_in
from venice_mock.errors import ApiError

_BALANCE = "venice_mock.web.api.billing_balance"
Reading = Callable[[Any, Mapping[str, str]], Awaitable[dict[str, Any]]]


def _changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Any, bytes, Answer], Answer]:
    """The body of every 200 is altered."""

    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        said = answer.json()
        change(said)
        return answer.with_body(said)

    return altered


def _text(said: dict[str, Any]) -> None:
    said["balances"]["usd"] = str(said["balances"]["usd"])


def _extra(said: dict[str, Any]) -> None:
    said["account"] = "unlimited"


def _no_diem(said: dict[str, Any]) -> None:
    del said["balances"]["diem"]


def _cents(said: dict[str, Any]) -> None:
    said["balances"]["usd"] = round(said["balances"]["usd"], 2)


def _always(said: dict[str, Any]) -> None:
    said["canConsume"] = True


def _never(said: dict[str, Any]) -> None:
    said["canConsume"] = False


def _forbidden(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_body(answer.body, 403) if answer.status == 401 else answer


def _as_opened(read: Reading) -> Reading:
    """The balance is that of the account's opening: a cache that no edit empties."""
    kept: dict[str, Any] = {}

    async def told(session: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        answer = await read(session, headers)
        return dict(kept.setdefault(session.id + headers["authorization"], answer))

    return told


def _dearer(read: Reading) -> Reading:
    """Every edit is told as a cent dearer than it was."""

    async def told(session: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        answer = await read(session, headers)
        rows = session.store._ledgers.values()
        charges = sum(entry.type == "CHARGE" for entries in rows for entry in entries)
        usd = Decimal(str(answer["balances"]["usd"])) - Decimal("0.01") * charges
        return {**answer, "balances": {**answer["balances"], "usd": float(usd)}}

    return told


def _wallets_read(read: Reading) -> Reading:
    """A sign-in without a key is a caller as well."""

    async def told(session: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        try:
            return await read(session, headers)
        except ApiError:
            if "authorization" in headers or not signs_in(session.contract, headers):
                raise
            balances = {"diem": None, "usd": 0}
            return {
                "canConsume": False,
                "consumptionCurrency": "USD",
                "balances": balances,
                "diemEpochAllocation": 0,
            }

    return told


def _sign_in_first(read: Reading) -> Reading:
    """A sign-in header goes before the key, and is nobody here."""

    async def told(session: Any, headers: Mapping[str, str]) -> dict[str, Any]:
        if signs_in(session.contract, headers):
            raise ApiError(401, {"error": "Authentication failed"}, name="AUTHENTICATION_FAILED")
        return await read(session, headers)

    return told


def _body(text: str, change: Callable[[dict[str, Any]], None], rule: str, *follows: str) -> Mutant:
    return answering(rule, text, _changed(change), where="/billing/balance", follows=follows)


MUTANTS: tuple[Mutant, ...] = (
    _body("balances.usd is a text", _text, "BILL-001", "BILL-003", "EDIT-PAY-027"),
    _body("the object has one member more", _extra, "BILL-001"),
    _body("balances.diem is left out", _no_diem, "BILL-001"),
    _body("dollars are rounded to cents", _cents, "BILL-001", "EDIT-PAY-027"),
    answering("BILL-002", "a wrong key is 403", _forbidden, where="/billing/balance", follows=("BILL-004",)),
    wrapping(
        "BILL-003",
        "the balance is that of the first reading",
        _BALANCE,
        _as_opened,
        follows=("BILL-006", "EDIT-PAY-027"),
    ),
    wrapping("BILL-003", "every edit is told a cent dearer", _BALANCE, _dearer, follows=("EDIT-PAY-027",)),
    wrapping("BILL-004", "a wallet reads an account of its own", _BALANCE, _wallets_read),
    wrapping("BILL-004", "a sign-in beside a key shuts it out", _BALANCE, _sign_in_first),
    _body("canConsume is always true", _always, "BILL-006"),
    _body("canConsume is always false", _never, "BILL-001"),
)
