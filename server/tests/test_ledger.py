"""A ledger in process: nothing is lost while its older rows are packed, and a long one is small."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from venice_mock.state.ledger import BLOCK, Ledger
from venice_mock.state.store import Entry

MANY = 4 * BLOCK + 7


def row(number: int, request_id: str | None = None) -> Entry:
    amount = Decimal("-0.04") * (number % 3)
    name = request_id or f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"
    return Entry(
        f"txn-{number:012d}", "CHARGE", amount, 100 + amount, 1.7e9 + number / 7, name, "firered-image-edit"
    )


ROWS = [row(number) for number in range(MANY)]


@given(st.integers(0, MANY), st.integers(0, 2 * BLOCK), st.integers(0, MANY + 5))
def test_every_page_is_that_of_a_plain_list(held: int, limit: int, offset: int) -> None:
    ledger = Ledger(ROWS[:held])
    assert ledger.newest(limit, offset) == ROWS[:held][::-1][offset : offset + limit]
    assert len(ledger) == held


def test_all_rows_are_read_back_as_they_were_booked_the_oldest_first() -> None:
    odd = [
        Entry("txn-1", "TOP_UP", Decimal("0.000000000000000001"), Decimal("1E+3"), 0.1 + 0.2, None, None),
        Entry("txn-2", "ADJUSTMENT", Decimal("-0.1200"), Decimal("0.00"), 1.0, "req", None),
    ]
    rows = [*odd, *ROWS]
    read = list(Ledger(rows))
    assert read == rows
    assert [str(entry.amount) for entry in read] == [str(entry.amount) for entry in rows]


def test_a_row_that_cannot_be_packed_is_kept_as_it_is() -> None:
    rows = [row(number, "\ud800") for number in range(MANY)]
    assert list(Ledger(rows)) == rows


def test_a_row_of_a_long_ledger_weighs_less_than_a_hundred_bytes() -> None:
    rows = 20_000
    ledger = Ledger()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(rows):
            ledger.append(row(number))
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 100 * rows + 600 * 2 * BLOCK, held / rows
