"""The books as the server has them at the end, read through the control plane."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from benchmarks.processes import BenchmarkError
from benchmarks.soak.asking import Caller, LostError
from benchmarks.soak.books import Account, Row

_PAGE = 1000
_SETTLING_S = 30.0
_PAUSE_S = 1.0
_LONG_QUIET = 6


def accounts(caller: Caller, openings: Mapping[str, Decimal]) -> list[Account]:
    """Every account by its name, which is a key or an address, once all stand still or that takes too long.

    Who left may have left an edit behind that is yet to be admitted: so nothing may be held, and nothing have changed.
    What is held for edits that lost the store stays so for a quarter of an hour: then stillness alone must do.
    """
    end, before, quiet = time.monotonic() + _SETTLING_S, None, 0
    while True:
        read = [_account(caller, name, opening) for name, opening in openings.items()]
        quiet = quiet + 1 if read == before else 0
        enough = 1 if all(each.held == 0 for each in read) else _LONG_QUIET
        if quiet >= enough or time.monotonic() > end:
            return read
        before = read
        time.sleep(_PAUSE_S)


def _account(caller: Caller, name: str, opening: Decimal) -> Account:
    rows: list[Row] = []
    more = True
    while more:
        page = _get(caller, f"/__mock/accounts/{name}/ledger?limit={_PAGE}&offset={len(rows)}")
        rows += map(_row, page["entries"])
        more = page["has_more"]
    told = _get(caller, f"/__mock/accounts/{name}")
    balance, held, spent = (Decimal(told[each]) for each in ("balance_usd", "held_usd", "spent_usd"))
    return Account(name, opening, balance, held, spent, tuple(reversed(rows)))


def _row(told: Mapping[str, Any]) -> Row:
    amount, after = Decimal(told["amount_usd"]), Decimal(told["balance_after_usd"])
    return Row(told["id"], amount, after, told["model_id"], told["request_id"])


def _get(caller: Caller, path: str) -> Any:
    try:
        reply = caller.ask("GET", path)
    except LostError as error:
        raise BenchmarkError(f"GET {path} got no answer: {error}") from error
    if reply.status != 200:
        raise BenchmarkError(f"GET {path} gave {reply.status}: {reply.body[:200]!r}")
    return json.loads(reply.body)
