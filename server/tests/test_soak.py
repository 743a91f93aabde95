"""The soak: its books notice what was doctored, its eye on memory what grows, and short runs pass or fail rightly."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rulekit import good_body
from tools import tool

ROOT = Path(__file__).resolve().parents[2]
PRICE = Decimal("0.04")


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of the soak; `benchmarks` lies in the root, which is not on the tests' path."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.soak.{name}")


# --- the books ---------------------------------------------------------------------------------------------------


@pytest.fixture
def books(soak: Callable[[str], ModuleType]) -> ModuleType:
    """The module that reconciles."""
    return soak("books")


def honest(books: Any) -> tuple[Any, list[Any]]:
    """An account that began with 1 dollar, and what clients know of it: three edits, a top-up, and one that left."""
    rows = (
        books.Row("txn-1", -PRICE, Decimal("0.96"), "m", "r1"),
        books.Row("txn-2", -PRICE, Decimal("0.92"), "m", "r2"),
        books.Row("txn-3", Decimal(5), Decimal("5.92"), None, None),
        books.Row("txn-4", -PRICE, Decimal("5.88"), "m", "r3"),
        books.Row("txn-5", -PRICE, Decimal("5.84"), "m", "r4"),
    )
    account = books.Account("a", Decimal(1), Decimal("5.84"), Decimal(0), 4 * PRICE, rows)
    claims = [
        books.Claim("a", -PRICE, "m", balance_after=Decimal("0.96")),
        books.Claim("a", -PRICE, "m", balance_after=Decimal("0.92")),
        books.Claim("a", Decimal(5), None, balance_after=Decimal("5.92")),
        books.Claim("a", -PRICE, "m"),  # its answer was reset
        books.Claim("a", -PRICE, "m", sure=False),  # it left
    ]
    return account, claims


def test_honest_books_agree(books: Any) -> None:
    account, claims = honest(books)
    assert books.differences([account], claims) == []


def test_who_left_may_or_may_not_have_paid(books: Any) -> None:
    account, claims = honest(books)
    unpaid = replace(account, rows=account.rows[:-1], balance=Decimal("5.88"), spent=3 * PRICE)
    assert books.differences([unpaid], claims) == []


def charged_again(account: Any) -> Any:
    extra = replace(account.rows[-1], id="txn-6", request="r5", balance_after=Decimal("5.80"))
    return replace(account, rows=(*account.rows, extra), balance=Decimal("5.80"), spent=5 * PRICE)


def two_rows_missing(account: Any) -> Any:
    return replace(account, rows=account.rows[:-2], balance=Decimal("5.92"), spent=2 * PRICE)


def with_row(place: int, **changes: Any) -> Callable[[Any], Any]:
    def doctored(account: Any) -> Any:
        rows = list(account.rows)
        rows[place] = replace(rows[place], **changes)
        return replace(account, rows=tuple(rows))

    return doctored


DOCTORED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "one charge too many": (
        charged_again,
        "0.04 for m is booked 3 times without a word to a client, not 1 to 2",
    ),
    "two charges too few": (
        two_rows_missing,
        "0.04 for m is booked 0 times without a word to a client, not 1 to 2",
    ),
    "an edit charged twice": (with_row(4, request="r3"), "the edit r3 was charged 2 times"),
    "a row told twice": (with_row(4, id="txn-4"), "row txn-4 is in the ledgers 2 times"),
    "another model's price": (
        with_row(0, model="n"),
        "0.04 for n is booked 1 times without a word to a client, not 0",
    ),
    "another balance": (
        lambda account: replace(account, balance=Decimal("5.80")),
        "the balance is 5.80, and 5.84 by the ledger",
    ),
    "another balance in a row": (
        with_row(1, balance_after=Decimal("0.91")),
        "a client was told that 0.04 for m left 0.92, and no row says so",
    ),
    "a row that does not follow": (
        with_row(3, balance_after=Decimal("5.87")),
        "row txn-4 leaves 5.87, and 5.88 by its amount and the rows before it",
    ),
    "money that stays held": (
        lambda account: replace(account, held=PRICE),
        "0.04 is held though nothing is in work",
    ),
    "more spent than booked": (
        lambda account: replace(account, spent=5 * PRICE),
        "0.20 counts as spent, and 0.16 by the ledger",
    ),
}


@pytest.mark.parametrize("what", sorted(DOCTORED))
def test_doctored_books_are_noticed(books: Any, what: str) -> None:
    doctor, sentence = DOCTORED[what]
    account, claims = honest(books)
    found = books.differences([doctor(account)], claims)
    assert any(f"a: {sentence}" in each or sentence == each for each in found), found


def test_a_charge_that_a_client_does_not_know_of_and_one_on_no_account_are_noticed(books: Any) -> None:
    account, claims = honest(books)
    assert books.differences([account], claims[:-2]) != []
    assert books.differences([account], [*claims, books.Claim("b", -PRICE, "m")]) == [
        "b: a client paid, and there is no such account"
    ]


def test_money_may_be_held_for_edits_whose_store_was_lost_and_no_more(books: Any) -> None:
    account, claims = honest(books)
    lost = [*claims, books.Claim("a", -PRICE, "m", sure=False, lost=True)]
    assert books.differences([replace(account, held=PRICE)], lost) == []
    (found,) = books.differences([replace(account, held=2 * PRICE)], lost)
    assert found == "a: 0.08 is held though nothing is in work (at most 0.04 may be)"


# --- memory ------------------------------------------------------------------------------------------------------


def samples(memory: Any, resident: Callable[[int], int], seconds: int) -> list[Any]:
    return [memory.Sample(float(at), resident(at)) for at in range(seconds + 1)]


def test_memory_that_fills_in_the_first_third_and_then_stays_is_flat(
    soak: Callable[[str], ModuleType],
) -> None:
    memory: Any = soak("memory")
    grown = memory.growth(samples(memory, lambda at: min(at, 90) << 20, 300))
    assert (grown.before, grown.after, grown.highest) == (90 << 20,) * 3
    assert grown.is_flat


def test_memory_that_goes_on_growing_is_not_flat(soak: Callable[[str], ModuleType]) -> None:
    memory: Any = soak("memory")
    assert not memory.growth(samples(memory, lambda at: (100 << 20) + at * (1 << 18), 300)).is_flat
    assert memory.growth(samples(memory, lambda at: (100 << 20) + at * (1 << 16), 300)).is_flat  # 6 MiB


def test_a_short_run_is_not_judged_by_its_memory(soak: Callable[[str], ModuleType]) -> None:
    memory: Any = soak("memory")
    grown = memory.growth(samples(memory, lambda at: at << 22, 20))
    assert grown.allowed is None
    assert grown.is_flat


# --- what may be refused -----------------------------------------------------------------------------------------


def test_only_who_asked_while_the_store_was_away_may_be_refused_for_it(
    soak: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking: Any = soak("asking")
    now: list[float] = [10.0]
    monkeypatch.setattr(asking.time, "monotonic", lambda: now[0])
    outages = asking.Outages()
    with outages.one():
        assert outages.met(9.0, 10.0)
        assert not outages.met(8.0, 9.9)
        now[0] = 20.0
    assert [
        outages.met(*span) for span in [(8.0, 9.0), (9.0, 11.0), (12.0, 13.0), (19.0, 30.0), (20.1, 30.0)]
    ] == [
        False,
        True,
        True,
        True,
        False,
    ]


# --- runs --------------------------------------------------------------------------------------------------------


def test_without_a_redis_server_it_says_what_is_missing(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.soak",
        "--requests",
        "1",
        "--output",
        str(tmp_path / "soak.json"),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "soak: redis-server is not installed (Debian: apt-get install redis-server)\n"


@pytest.mark.slow
def test_a_short_soak_amid_which_the_store_is_restarted_accounts_for_everything(tmp_path: Path) -> None:
    tool("redis-server")
    file = tmp_path / "soak.json"
    command = [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.35", "--restart-store"]
    done = subprocess.run(
        [*command, "--output", str(file)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All is accounted for." in done.stdout
    told = json.loads(file.read_text("utf-8"))
    assert told["ok"] is True
    assert told["violations"] == []
    assert told["store_restarted"] is True
    assert told["money"]["charges"] != "0"
    assert told["outcomes"]["edit"]["200"] > 0
    assert len(told["memory"]) == 2


@pytest.mark.slow
def test_a_charge_that_no_client_made_fails_a_soak(
    soak: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tool("redis-server")
    reading, main, buying = soak("reading"), soak("__main__"), soak("buying")
    honestly = reading.accounts

    def after_a_stranger_came(caller: Any, openings: Any) -> Any:
        headers = {"Authorization": f"Bearer {buying.KEYS[0]}", "Content-Type": "application/json"}
        assert caller.ask("POST", "/api/v1/image/edit", good_body(), headers).status == 200
        return honestly(caller, openings)

    monkeypatch.setattr(reading, "accounts", after_a_stranger_came)
    flags = ["--requests", "30", "--engine", "fast", "--output", str(tmp_path / "soak.json")]
    assert main.main(flags) == 1
    told = json.loads((tmp_path / "soak.json").read_text("utf-8"))
    (violation,) = told["violations"]
    assert violation.startswith(f"{buying.KEYS[0]}: 0.040000 for qwen-edit is booked ")
    assert violation in capsys.readouterr().out
