"""Admission by pixels, and threads that are given back."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_mock.edit.workshop import PixelBudget, Workshop


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12))
def test_pixels_in_work_never_pass_the_budget_and_everyone_is_served_in_order(sizes: list[int]) -> None:
    async def scenario() -> None:
        budget, served, alone = PixelBudget(10), list[int](), list[bool]()

        async def one(number: int, pixels: int) -> None:
            await budget.acquire(pixels)
            served.append(number)
            alone.append(budget.used <= 10 or budget.used == pixels)
            await asyncio.sleep(0)
            budget.release(pixels)

        await asyncio.gather(*(one(number, pixels) for number, pixels in enumerate(sizes)))
        assert served == sorted(served)
        assert all(alone)
        assert budget.used == 0

    asyncio.run(scenario())


def test_a_waiting_request_that_is_cancelled_leaves_no_trace() -> None:
    async def scenario() -> None:
        budget = PixelBudget(10)
        await budget.acquire(8)
        waiting = asyncio.ensure_future(budget.acquire(5))
        behind = asyncio.ensure_future(budget.acquire(2))
        await asyncio.sleep(0)
        assert not behind.done()  # first come, first served
        waiting.cancel()
        await behind
        assert budget.used == 10
        budget.release(8)
        budget.release(2)
        assert budget.used == 0

    asyncio.run(scenario())


def test_a_request_cancelled_in_the_moment_of_admission_gives_its_pixels_back() -> None:
    async def scenario() -> None:
        budget = PixelBudget(10)
        await budget.acquire(10)
        waiting = asyncio.ensure_future(budget.acquire(5))
        await asyncio.sleep(0)
        budget.release(10)  # admits the waiting one, which has not run yet
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert budget.used == 0

    asyncio.run(scenario())


def test_pixels_given_back_in_the_moment_a_waiter_leaves_go_to_the_next() -> None:
    async def scenario() -> None:
        budget = PixelBudget(10)
        await budget.acquire(10)
        leaving = asyncio.ensure_future(budget.acquire(5))
        behind = asyncio.ensure_future(budget.acquire(6))
        await asyncio.sleep(0)
        leaving.cancel()
        budget.release(10)  # before the cancelled task has run
        await behind
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert budget.used == 6

    asyncio.run(scenario())


def test_work_that_has_begun_keeps_its_pixels_until_it_ends_though_its_caller_left() -> None:
    async def scenario() -> None:
        shop, begun, go_on = Workshop(10, threads=1), threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            go_on.wait(30)

        caller = asyncio.ensure_future(shop.run(7, work))
        await asyncio.to_thread(begun.wait, 30)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert shop.budget.used == 7
        go_on.set()
        await shop.run(10, lambda: None)  # waits for the seven
        await asyncio.sleep(0)
        shop.close()

    asyncio.run(scenario())


def test_work_that_has_not_begun_is_dropped_with_its_caller() -> None:
    async def scenario() -> None:
        shop, begun, go_on, ran = Workshop(100, threads=1), threading.Event(), threading.Event(), list[str]()

        def first() -> None:
            begun.set()
            go_on.wait(30)

        running = asyncio.ensure_future(shop.run(1, first))
        await asyncio.to_thread(begun.wait, 30)
        queued = asyncio.ensure_future(shop.run(1, lambda: ran.append("queued")))
        await asyncio.sleep(0)
        queued.cancel()
        with pytest.raises(asyncio.CancelledError):
            await queued
        go_on.set()
        await running
        await shop.run(1, lambda: ran.append("next"))
        assert ran == ["next"]
        shop.close()

    asyncio.run(scenario())


def test_a_failure_in_a_thread_reaches_the_caller_and_frees_its_pixels() -> None:
    async def scenario() -> None:
        shop = Workshop(10, threads=1)
        with pytest.raises(ZeroDivisionError):
            await shop.run(10, lambda: 1 // 0)
        assert await shop.run(10, lambda: 42) == 42
        shop.close()

    asyncio.run(scenario())
