"""The ledger's laws on a real Redis while several processes work on the same accounts, and one of them is killed."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger_storm import AT_ONCE, DONE, FUNDS, OPENINGS, PAID, PAYMENTS
from redis_server import RedisServer
from stores import linked
from venice_mock.state.redis_store import RedisStore
from venice_mock.state.store import Account, Entry

PATIENCE_S = 120.0


@contextmanager
def started(place: Path, url: str, prefix: str, seed: int, turns: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that tells into a file."""
    command = [sys.executable, str(Path(__file__).with_name("ledger_storm.py")), url, prefix]
    with place.open("wb") as out, subprocess.Popen([*command, str(seed), str(turns)], stdout=out) as process:
        try:
            yield process
        finally:
            process.kill()


def told(place: Path) -> list[Any]:
    """All whole lines; a process that was killed may have begun another."""
    lines = place.read_text("ascii").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def storms(folder: Path, url: str, prefix: str, processes: int, turns: int) -> tuple[list[Any], list[Any]]:
    """What was told by those that ended, and by the one that was killed amid its work."""
    places = [folder / f"{seed}" for seed in range(processes + 1)]
    with ExitStack() as running:
        work = [
            running.enter_context(started(place, url, prefix, seed, turns))
            for seed, place in enumerate(places[:-1])
        ]
        with started(places[-1], url, prefix, processes, 10**9):
            end = time.monotonic() + PATIENCE_S
            while len(told(places[-1])) < 3:
                assert time.monotonic() < end
        assert [process.wait(PATIENCE_S) for process in work] == [0] * processes
    *others, killed = map(told, places)
    assert [each.pop() for each in others] == [DONE] * processes
    return [row for each in others for row in each], killed


async def looked(store: RedisStore, name: str) -> tuple[Account, list[Entry]]:
    """An account once the holds that were left are over, and its rows, the oldest first."""
    end = time.monotonic() + PATIENCE_S
    while (account := await store.account(name)).held:
        assert time.monotonic() < end
    rows, more = await store.entries(name, limit=10**6, offset=0)
    assert not more
    return account, rows[::-1]


def the_laws_hold(account: Account, rows: list[Entry]) -> None:
    """It adds up from the opening, step by step, and is never overdrawn."""
    opening = OPENINGS[account.id]
    balance, spent = opening.balance, Decimal(0)
    for row in rows:
        balance += row.amount
        assert row.balance_after == balance >= 0
        assert row.amount == PAID if row.type == "TOP_UP" else row.amount <= 0
        spent -= min(row.amount, Decimal(0))
    assert (account.balance, account.spent) == (balance, spent)
    assert opening.spend_limit is None or spent <= opening.spend_limit


def survives(folder: Path, server: RedisServer, processes: int, turns: int) -> None:
    prefix = f"venice-mock:{{test:{secrets.token_hex(8)}}}:"
    whole, killed = storms(folder, server.url(), prefix, processes, turns)

    async def all_accounts() -> dict[str, tuple[Account, list[Entry]]]:
        async with linked(server) as link:
            store = RedisStore(link, prefix)
            return {name: await looked(store, name) for name in OPENINGS}

    kept = asyncio.run(all_accounts())
    for account, rows in kept.values():
        the_laws_hold(account, rows)
    booked = {
        row.id: [row.id, name, row.type, str(row.amount), str(row.balance_after)]
        for name, (_, rows) in kept.items()
        for row in rows
    }
    assert len(booked) == sum(len(rows) for _, rows in kept.values())  # no id stands there twice
    for row in whole + killed:
        assert booked.pop(row[0]) == row[:-1]  # what was told is booked, once
    assert len(booked) <= AT_ONCE * 2  # what nobody was told of is what one was doing as it was killed
    reasons = Counter(row[-1] for row in whole + killed)
    assert set(reasons.values()) == {1}  # no hold and no payment was booked twice
    assert {row[-1] for row in whole + killed if row[2] == "TOP_UP"} <= set(PAYMENTS)
    assert sum(Decimal(row[3]) for row in whole if row[2] == "TOP_UP") <= 2 * FUNDS
    assert {row[2] for row in whole} == {"CHARGE", "TOP_UP"}  # or nothing was shown


def test_the_ledgers_laws_hold_while_several_processes_book_at_once_and_one_is_killed(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    survives(tmp_path, redis_server, 3, 150)


@pytest.mark.slow
def test_the_ledgers_laws_hold_over_a_long_storm(redis_server: RedisServer, tmp_path: Path) -> None:
    survives(tmp_path, redis_server, 6, 5000)
