"""What was made before: kept by bytes, made once for all who ask meanwhile, dropped with the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from venice_mock.edit.results import Result, Results

KILO = Result(b"x" * 1000)
ROOM = KILO.bytes  # for one of them


class Maker:
    """Makes results when it is let; counts how often it began and how often it was cancelled."""

    def __init__(self, result: Result | Exception = KILO) -> None:
        self.result = result
        self.begun = 0
        self.cancelled = 0
        self.go_on = asyncio.Event()

    async def make(self) -> Result:
        self.begun += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def made(result: Result) -> Callable[[], Awaitable[Result]]:
    async def make() -> Result:
        return result

    return make


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30))


def test_what_was_made_is_given_again() -> None:
    async def scenario() -> None:
        results = Results(10 * ROOM)
        first = await results.get(b"a", made(KILO))
        again = await results.get(b"a", made(Result(b"another")))
        assert again is first is KILO
        assert (results.hits, results.misses, len(results), results.bytes) == (1, 1, 1, ROOM)

    run(scenario())


def test_what_was_not_asked_for_longest_makes_room() -> None:
    async def scenario() -> None:
        results = Results(2 * ROOM)
        for key in (b"a", b"b", b"a", b"c"):  # a is asked for again before c comes
            await results.get(key, made(KILO))
        assert (len(results), results.bytes, results.evictions) == (2, 2 * ROOM, 1)
        misses = results.misses
        await results.get(b"a", made(KILO))
        assert results.misses == misses
        await results.get(b"b", made(KILO))
        assert results.misses == misses + 1

    run(scenario())


def test_a_large_one_makes_room_for_itself_by_its_bytes() -> None:
    async def scenario() -> None:
        results = Results(3 * ROOM)
        for key in (b"a", b"b", b"c"):
            await results.get(key, made(KILO))
        await results.get(b"d", made(Result(b"x" * (2000))))
        assert (results.evictions, len(results)) == (2, 2)
        assert results.bytes <= results.limit

    run(scenario())


def test_small_pictures_are_counted_too() -> None:
    assert Result(b"1", b"22", b"333").bytes == Result(b"1").bytes + 5


def test_one_that_is_larger_than_all_room_is_given_and_pushes_nothing_out() -> None:
    async def scenario() -> None:
        results = Results(ROOM)
        await results.get(b"a", made(KILO))
        large = Result(b"x" * 1001)
        assert await results.get(b"b", made(large)) is large
        assert (len(results), results.evictions) == (1, 0)
        await results.get(b"a", made(Result(b"")))
        assert results.hits == 1

    run(scenario())


def test_without_room_each_asker_has_his_own_made() -> None:
    async def scenario() -> None:
        results, maker = Results(0), Maker()
        askers = [asyncio.create_task(results.get(b"a", maker.make)) for _ in range(3)]
        maker.go_on.set()
        assert await asyncio.gather(*askers) == [KILO] * 3
        assert (maker.begun, results.hits, len(results)) == (3, 0, 0)

    run(scenario())


def test_who_asks_at_the_same_time_gets_the_same_and_it_is_made_once() -> None:
    async def scenario() -> None:
        results, maker = Results(10 * ROOM), Maker()
        askers = [asyncio.create_task(results.get(b"a", maker.make)) for _ in range(8)]
        await asyncio.sleep(0)
        maker.go_on.set()
        assert all(found is KILO for found in await asyncio.gather(*askers))
        assert (maker.begun, results.misses, results.hits) == (1, 1, 7)

    run(scenario())


@pytest.mark.parametrize("who", [0, 1, 2])
def test_one_who_leaves_takes_nothing_from_the_others(who: int) -> None:
    async def scenario() -> None:
        results, maker = Results(10 * ROOM), Maker()
        askers = [asyncio.create_task(results.get(b"a", maker.make)) for _ in range(3)]
        await asyncio.sleep(0)
        leaving = askers.pop(who)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        maker.go_on.set()
        assert await asyncio.gather(*askers) == [KILO] * 2
        assert (maker.begun, maker.cancelled) == (1, 0)

    run(scenario())


def test_when_all_have_left_it_is_dropped_and_who_comes_then_has_it_made_anew() -> None:
    async def scenario() -> None:
        results, maker = Results(10 * ROOM), Maker()
        askers = [asyncio.create_task(results.get(b"a", maker.make)) for _ in range(2)]
        await asyncio.sleep(0)
        for asker in askers:
            asker.cancel()
        await asyncio.gather(*askers, return_exceptions=True)
        again = asyncio.create_task(results.get(b"a", maker.make))  # while the first is still being cancelled
        maker.go_on.set()
        assert await again is KILO
        assert (maker.begun, maker.cancelled) == (2, 1)

    run(scenario())


def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    async def scenario() -> None:
        results, maker = Results(10 * ROOM), Maker(ValueError("broken"))
        askers = [asyncio.create_task(results.get(b"a", maker.make)) for _ in range(3)]
        await asyncio.sleep(0)
        maker.go_on.set()
        found = await asyncio.gather(*askers, return_exceptions=True)
        assert [type(each) for each in found] == [ValueError] * 3
        assert (maker.begun, len(results), results.bytes) == (1, 0, 0)
        assert await results.get(b"a", made(KILO)) is KILO

    run(scenario())


def test_two_loops_make_the_same_picture_each_for_itself_and_share_what_is_kept() -> None:
    results = Results(10 * ROOM)

    async def leave_unfinished() -> None:
        asyncio.create_task(results.get(b"a", Maker().make))  # noqa: RUF006 - ended with its loop
        await asyncio.sleep(0)

    async def ask() -> Result:
        return await results.get(b"a", made(KILO))

    unfinished = asyncio.Runner()
    unfinished.run(leave_unfinished())
    assert asyncio.run(ask()) is KILO
    unfinished.close()
    assert asyncio.run(ask()) is KILO
    assert (results.misses, results.hits) == (2, 1)
