"""What every store promises, and the ledger's laws: nothing is lost, nothing is overdrawn, whatever the order of
holds, settlements and releases. Each test runs on the store in memory and on a real Redis.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from stores import MakeStore
from venice_mock.accounts.keys import Opening
from venice_mock.state.store import AccountChange, Hold, NoHold, Store

AMOUNTS = st.decimals(Decimal("0.0001"), Decimal(3), places=4)


class LedgerMachine(RuleBasedStateMachine):
    """Holds, settlements, releases, adjustments and resets against an exact model of one account."""

    holds = Bundle("holds")

    def __init__(self, make_store: MakeStore) -> None:
        super().__init__()
        self.made: AbstractAsyncContextManager[Store] = make_store()

    @initialize(start=st.decimals(0, 5, places=4), limit=st.none() | st.decimals(0, 5, places=4))
    def open(self, start: Decimal, limit: Decimal | None) -> None:
        self.runner = asyncio.Runner()
        self.store = self.runner.run(self.made.__aenter__())
        self.opening = self.start = start
        self.limit = limit
        self.held, self.charges, self.adjustments = Decimal(0), list[Decimal](), list[Decimal]()
        self.issued = list[Hold]()
        self.void = set[str]()  # holds from before the last reset
        self.runner.run(self.store.open_account("a", Opening(start, limit)))

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.made.__aexit__(None, None, None))
            self.runner.close()

    @rule(target=holds, amount=AMOUNTS)
    def hold(self, amount: Decimal) -> object:
        got = self.runner.run(self.store.hold("a", amount))
        spent = sum(self.charges, Decimal(0))
        over_limit = self.limit is not None and spent + self.held + amount > self.limit
        short = self.start - spent - self.held < amount
        if isinstance(got, NoHold):
            assert got.reason == ("spend_limit" if over_limit else "balance")
            assert over_limit or short
            return multiple()
        assert not over_limit
        assert not short
        self.held += amount
        self.issued.append(got)
        return got

    @rule(hold=consumes(holds))
    def settle(self, hold: Hold) -> None:
        row = self.runner.run(self.store.settle(hold, now=1.0, request_id="r", model_id="m"))
        if hold.id in self.void:
            assert row is None
            return
        assert row is not None
        self.held -= hold.amount
        self.charges.append(hold.amount)
        assert row.amount == -hold.amount
        assert row.balance_after == self.start - sum(self.charges)

    @rule(hold=consumes(holds))
    def release_twice(self, hold: Hold) -> None:
        self.runner.run(self.store.release(hold))
        self.runner.run(self.store.release(hold))
        if hold.id not in self.void:
            self.held -= hold.amount

    @rule(hold=consumes(holds))
    def a_settled_hold_is_gone(self, hold: Hold) -> None:
        self.settle(hold)
        with pytest.raises(KeyError):
            self.runner.run(self.store.settle(hold, now=1.0, request_id="r", model_id="m"))
        self.runner.run(self.store.release(hold))

    @rule(balance=st.decimals(0, 5, places=4))
    def adjust(self, balance: Decimal) -> None:
        done = self.runner.run(
            self.store.change_account("a", Opening(Decimal(9)), AccountChange(balance=balance), now=1.0)
        )
        assert done == (balance >= self.held)
        now = self.start - sum(self.charges)
        if done and balance != now:
            self.adjustments.append(balance - now)
            self.start += balance - now

    @rule()
    def reset(self) -> None:
        self.runner.run(self.store.reset(frozenset({"accounts"})))
        self.start, self.held = self.opening, Decimal(0)
        self.charges.clear()
        self.adjustments.clear()
        self.void |= {hold.id for hold in self.issued}
        self.issued.clear()

    @invariant()
    def laws(self) -> None:
        if not hasattr(self, "store"):
            return
        account = self.runner.run(self.store.account("a"))
        rows, more = self.runner.run(self.store.entries("a", limit=1000, offset=0))
        assert not more
        assert account.balance == self.start - sum(self.charges) >= 0
        assert account.held == self.held
        assert account.available >= 0
        booked = {
            kind: [row.amount for row in reversed(rows) if row.type == kind]
            for kind in ("CHARGE", "ADJUSTMENT")
        }
        assert booked == {"CHARGE": [-amount for amount in self.charges], "ADJUSTMENT": self.adjustments}
        assert len(rows) == len(self.charges) + len(self.adjustments)
        after = account.balance
        for row in rows:
            assert row.balance_after == after
            after -= row.amount
        assert after == self.opening


def test_the_ledgers_laws_hold_whatever_happens_in_whatever_order(make_store: MakeStore) -> None:
    run_state_machine_as_test(
        cast(Any, lambda: LedgerMachine(make_store)),  # a factory will do
        settings=settings(deadline=None, database=None, max_examples=60, stateful_step_count=30),
    )


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # a store is made anew for each example
@given(rows=st.integers(0, 30), page=st.integers(1, 7))
def test_pages_of_the_ledger_join_to_the_whole(make_store: MakeStore, rows: int, page: int) -> None:
    async def scenario() -> None:
        async with make_store() as store:
            await store.open_account("a", Opening(Decimal(1000)))
            for number in range(rows):
                hold = await store.hold("a", Decimal(1))
                assert isinstance(hold, Hold)
                await store.settle(hold, now=float(number), request_id=str(number), model_id="m")
            seen: list[str | None] = []
            more = True
            while more:
                got, more = await store.entries("a", limit=page, offset=len(seen))
                seen += [row.request_id for row in got]
            assert seen == [str(number) for number in reversed(range(rows))]

    asyncio.run(scenario())


def test_an_account_keeps_its_first_opening(make_store: MakeStore) -> None:
    async def scenario() -> None:
        async with make_store() as store:
            await store.open_account("a", Opening(Decimal(5)))
            assert (await store.open_account("a", Opening(Decimal(9)))).balance == 5

    asyncio.run(scenario())


def test_a_window_forgets_what_is_older_than_itself(make_store: MakeStore) -> None:
    async def scenario() -> None:
        async with make_store() as store:
            counts = [
                (await store.count("b", window_s=60, now=now)).count
                for now in (0.0, 30.0, 59.9, 60.0, 89.9, 90.0)
            ]
            assert counts == [1, 2, 3, 3, 4, 4]
            looked = await store.count("b", window_s=60, now=90.0, add=0)
            assert (looked.count, looked.resets_at) == (4, 119.9)
            assert (await store.count("b", window_s=60, now=1000.0, add=0)).count == 0

    asyncio.run(scenario())


def test_slots_are_bounded_and_come_back(make_store: MakeStore) -> None:
    async def scenario() -> None:
        async with make_store() as store:
            assert [await store.take_slot("w", 2) for _ in range(3)] == [True, True, False]
            await store.give_slot("w")
            assert await store.take_slot("w", 2)

    asyncio.run(scenario())


def test_a_clock_set_back_does_not_leave_windows_in_the_future(make_store: MakeStore) -> None:
    async def scenario() -> None:
        async with make_store() as store:
            for _ in range(5):
                await store.count("b", window_s=60, now=4_000_000_000.0)
            assert (await store.count("b", window_s=60, now=1_800_000_000.0)).count == 1

    asyncio.run(scenario())
