"""What the store on Redis promises beyond any store: names, ends, other people's keys, lost answers, many processes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redis_server import RedisServer, running_redis
from stores import linked
from venice_mock.accounts.keys import Opening
from venice_mock.state.redis_link import RedisLink, Script, place_of
from venice_mock.state.redis_store import RedisStore
from venice_mock.state.store import AccountChange, Hold, NoHold, Snapshot, StoreUnavailable

PREFIX = "venice-mock:{test:redis-store}:"
DOLLARS = st.decimals(0, 10**13 - 1, places=18)


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with running_redis() as server:
        yield server


async def charged(store: RedisStore, amount: Decimal, request: str) -> Decimal | None:
    """One edit's money; the balance it left, or None when it was not admitted."""
    hold = await store.hold("a", amount)
    if isinstance(hold, NoHold):
        return None
    entry = await store.settle(hold, now=1.0, request_id=request, model_id="m")
    assert entry is not None
    return entry.balance_after


# --- money -------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=DOLLARS, second=DOLLARS, price=DOLLARS)
def test_money_is_exact_to_eighteen_decimals(
    redis_server: RedisServer, first: Decimal, second: Decimal, price: Decimal
) -> None:
    async def story() -> None:
        async with linked(redis_server) as link:
            store = RedisStore(link, PREFIX)
            await emptied(link)
            await store.open_account("a", Opening(first))
            assert await store.change_account(
                "a", Opening(first), AccountChange(balance=second, spend_limit=price), now=1.0
            )
            after = await charged(store, price, "r")
            assert after == (None if price > second else second - price)
            rows, _ = await store.entries("a", limit=9, offset=0)
            moved = [row.amount for row in reversed(rows)]
            assert moved == [
                *([second - first] if second != first else []),
                *([-price] if after is not None else []),
            ]
            if after is not None:
                assert (await store.account("a")).spent == price

    with localcontext(prec=40):  # or this test would round, as the store does not
        asyncio.run(story())


@pytest.mark.parametrize("amount", ["0.0000000000000000001", "1000000000000000", "NaN", "Infinity"])
def test_what_could_not_be_held_exactly_is_refused(redis_server: RedisServer, amount: str) -> None:
    async def story() -> None:
        async with linked(redis_server) as link:
            with pytest.raises(ValueError, match="at most 18 decimals"):
                await RedisStore(link, PREFIX).open_account("a", Opening(Decimal(amount)))

    asyncio.run(story())


# --- names and ends ----------------------------------------------------------------------------------------------


async def emptied(link: RedisLink) -> None:
    """Nothing of the tests before is left."""
    await link.run(Script("return redis.call('FLUSHALL')"), PREFIX, again=True)


async def everything(store: RedisStore) -> None:
    """Use every verb that writes."""
    await store.open_account("a", Opening(Decimal(5)))
    await charged(store, Decimal(1), "r")
    assert isinstance(await store.hold("a", Decimal(1)), Hold)
    await store.credit("a", "p", Decimal(1), payer="w", funds=None, now=1.0)
    await store.strike("a", 1)
    await store.claim_nonce("w", "n", life_s=300, now=1.0)
    await store.count("b", window_s=60, now=1.0)
    await store.take_slot("f", 1)
    await store.advance_clock(1, most_frozen=9e9, most_offset_s=9e9)
    await store.reset(frozenset({"limits"}))


def test_every_key_is_named_for_the_mock_and_the_session_and_ends_by_itself(own_server: RedisServer) -> None:
    async def story() -> None:
        async with linked(own_server) as link:
            store = RedisStore(link, PREFIX)
            await everything(store)
            await store.restore(await store.snapshot())
            await store.count("b", window_s=60, now=1.0)

    asyncio.run(story())
    keys = own_server.names()
    assert len(keys) >= 14
    for key in keys:
        assert key.startswith(PREFIX)
        assert int(own_server.ask(f"PTTL {key}").strip(b":\r\n")) > 0, key


def test_a_session_that_is_used_keeps_all_of_its_keys_and_one_that_is_not_loses_all(
    own_server: RedisServer,
) -> None:
    async def story() -> None:
        async with linked(own_server) as link:
            store = RedisStore(link, PREFIX, life_s=0.4, lease_s=0.4)
            await store.open_account("a", Opening(Decimal(5)))
            await charged(store, Decimal(1), "r")
            await store.claim_nonce("w", "n", life_s=300, now=1.0)
            end = time.monotonic() + 1.0
            while time.monotonic() < end:
                await store.clock()
            assert (await store.account("a")).balance == 4
            assert len((await store.entries("a", limit=9, offset=0))[0]) == 1
            assert not await store.claim_nonce("w", "n", life_s=300, now=1.0)

    asyncio.run(story())
    end = time.monotonic() + 10
    while own_server.names():
        assert time.monotonic() < end, own_server.names()


def test_reset_and_the_end_of_a_session_touch_nothing_of_anybody_else(own_server: RedisServer) -> None:
    theirs = ["accounts", "venice-mock", "venice-mock:accounts", "venice-mock:{test:other}:accounts"]
    for key in theirs:
        own_server.ask(f"SET {key} theirs")

    async def story() -> None:
        async with linked(own_server) as link:
            other, store = RedisStore(link, "venice-mock:{test:second}:"), RedisStore(link, PREFIX)
            await other.open_account("a", Opening(Decimal(7)))
            await charged(other, Decimal(1), "r")
            await everything(store)
            await store.reset(frozenset({"accounts", "nonces", "limits", "clock"}))
            assert (await store.account("a")).balance == 5
            assert await store.claim_nonce("w", "n", life_s=300, now=1.0)
            await store.forget()
            assert (await store.snapshot()).accounts == ()
            assert (await store.account("a")).balance == 5  # an edit under way finds it as it was opened
            for name in await link.run(
                Script("return redis.call('KEYS', KEYS[1] .. '*')"), PREFIX, again=True
            ):
                left = own_server.ask(f"PTTL {name}")
                assert 0 < int(left[1:]) <= 86_400_000, name  # a day, and no week
            assert (await other.account("a")).balance == 6

    asyncio.run(story())
    for key in theirs:
        assert b"theirs" in own_server.ask(f"GET {key}")


def test_a_hold_that_nobody_settles_ends_by_itself_and_is_not_charged_later(
    redis_server: RedisServer,
) -> None:
    async def story() -> None:
        async with linked(redis_server) as link:
            store = RedisStore(link, PREFIX, lease_s=0.2)
            await emptied(link)
            await store.open_account("a", Opening(Decimal(5)))
            hold = await store.hold("a", Decimal(5))
            assert isinstance(hold, Hold)
            assert isinstance(await store.hold("a", Decimal(1)), NoHold)
            end = time.monotonic() + 10
            while (await store.account("a")).held:
                assert time.monotonic() < end
            assert await charged(store, Decimal(1), "r") == 4
            assert await store.settle(hold, now=1.0, request_id="late", model_id="m") is None
            account = await store.account("a")
            assert account.balance == 4
            assert account.held == 0

    asyncio.run(story())


def test_a_place_whose_taker_is_gone_frees_itself_and_others_keep_theirs(redis_server: RedisServer) -> None:
    async def story() -> None:
        async with linked(redis_server) as link:
            gone = RedisStore(link, PREFIX, lease_s=0.3)
            here = RedisStore(link, PREFIX, lease_s=60)
            await emptied(link)
            assert await gone.take_slot("gone", 2)
            assert await here.take_slot("gone", 2)
            assert not await here.take_slot("gone", 2)
            end = time.monotonic() + 10
            while not await here.take_slot("gone", 2):
                assert time.monotonic() < end
            assert not await here.take_slot("gone", 2)
            for _ in range(2):
                await here.give_slot("gone")
            assert [await here.take_slot("gone", 2) for _ in range(3)] == [True, True, False]

    asyncio.run(story())


def test_a_snapshot_goes_in_again_whole(redis_server: RedisServer) -> None:
    async def story() -> tuple[Snapshot, Snapshot, int]:
        async with linked(redis_server) as link:
            store, other = RedisStore(link, PREFIX), RedisStore(link, "venice-mock:{test:third}:")
            await emptied(link)
            await everything(store)
            kept = await store.snapshot()
            await other.restore(kept)
            entry = await other.credit("a", "p2", Decimal(1), payer="w", funds=None, now=1.0)
            number = int(getattr(entry, "id", "-0").rpartition("-")[2])
            await other.restore(kept)
            return kept, await other.snapshot(), number

    kept, again, number = asyncio.run(story())
    assert kept == again
    assert number == 3  # ids go on behind those that came in


# --- many processes ----------------------------------------------------------------------------------------------


def test_processes_at_once_never_overdraw_an_account(redis_server: RedisServer) -> None:
    async def opened() -> None:
        async with linked(redis_server) as link:
            store = RedisStore(link, PREFIX)
            await emptied(link)
            await store.open_account("a", Opening(Decimal("5.02")))

    asyncio.run(opened())
    command = [sys.executable, str(Path(__file__).with_name("spending.py")), redis_server.url(), PREFIX, "60"]
    work = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(120) for process in work] == [0] * 4

    async def looked() -> None:
        async with linked(redis_server) as link:
            store = RedisStore(link, PREFIX)
            account = await store.account("a")
            rows, more = await store.entries("a", limit=1000, offset=0)
            assert not more
            assert len({row.id for row in rows}) == len(rows) == 100
            assert account.balance == Decimal("0.02") == rows[0].balance_after
            assert account.held == 0
            assert account.spent == 5

    asyncio.run(looked())


# --- a server that is lost ---------------------------------------------------------------------------------------


def test_a_server_that_is_lost_is_told_in_bounded_time_and_found_again_by_itself(
    own_server: RedisServer,
) -> None:
    async def story() -> None:
        async with linked(own_server, patience_s=0.5) as link:
            store = RedisStore(link, PREFIX)
            await store.open_account("a", Opening(Decimal(5)))
            for lose, find in ((own_server.kill, own_server.start), (own_server.hang, own_server.go_on)):
                lose()
                begun = time.monotonic()
                with pytest.raises(StoreUnavailable, match="redis://127"):
                    await store.account("a")
                assert time.monotonic() - begun < 1.5
                begun = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    await store.strike("a", 1)
                assert time.monotonic() - begun < 0.1, "others need not wait for what one has found out"
                find()
                end = time.monotonic() + 10
                while True:
                    try:
                        assert (await store.account("a")).balance == 5
                        break
                    except StoreUnavailable:
                        assert time.monotonic() < end
                        await asyncio.sleep(0.02)

    asyncio.run(story())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_process_that_had_no_time_to_look_does_not_call_the_server_lost(
    own_server: RedisServer, loop: str
) -> None:
    def be_busy() -> None:
        own_server.go_on()  # it answers, and nobody looks
        time.sleep(0.7)

    async def story() -> None:
        async with linked(own_server, patience_s=0.5) as link:
            store = RedisStore(link, PREFIX)
            await store.open_account("a", Opening(Decimal(5)))
            own_server.hang()
            asyncio.get_running_loop().call_later(0.1, be_busy)
            assert (await store.account("a")).balance == 5

    with asyncio.Runner(loop_factory=pytest.importorskip(loop).new_event_loop) as runner:
        runner.run(story())


def test_a_server_that_is_killed_and_started_again_in_the_middle_charges_nothing_twice(
    own_server: RedisServer,
) -> None:
    async def story() -> None:
        async with linked(own_server, patience_s=0.5) as link:
            store = RedisStore(link, PREFIX)
            await store.open_account("a", Opening(Decimal(100)))
            turns = itertools.count()
            told: list[str] = []
            lost: list[str] = []

            async def one(turn: int) -> None:
                try:
                    if await charged(store, Decimal("0.1"), f"r{turn}") is not None:
                        told.append(f"r{turn}")
                except StoreUnavailable:
                    lost.append(f"r{turn}")
                    await asyncio.sleep(0.02)

            async def work() -> None:
                while len(told) < 100:
                    await one(next(turns))

            async def trouble() -> None:
                while len(told) < 30:  # noqa: ASYNC110 - there is nothing else to wait for
                    await asyncio.sleep(0)
                own_server.kill()
                while not lost:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(own_server.start)

            await asyncio.gather(trouble(), *(work() for _ in range(6)))
            while True:
                try:
                    rows, _ = await store.entries("a", limit=1000, offset=0)
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.05)
            booked = [row.request_id or "" for row in rows]
            assert len(set(booked)) == len(booked), "charged twice"
            assert set(told) <= set(booked) <= set(told) | set(lost)
            assert lost
            account = await store.account("a")
            assert account.balance == 100 - len(booked) * Decimal("0.1") == rows[0].balance_after
            # What was promised to edits whose answer was lost is theirs until it ends by itself.
            assert account.held <= len(lost) * Decimal("0.1")

    asyncio.run(story())


def test_an_answer_that_is_lost_on_its_way_is_asked_for_again_and_charged_once(
    redis_server: RedisServer,
) -> None:
    async def story() -> None:
        async with Leaky(redis_server.port) as leaky:
            link = RedisLink(f"redis://127.0.0.1:{leaky.port}/0")
            store = RedisStore(link, PREFIX)
            await emptied(link)
            await store.open_account("a", Opening(Decimal(5)))
            leaky.lose = 1
            hold = await store.hold("a", Decimal(1))
            assert isinstance(hold, Hold)
            leaky.lose = 2
            entry = await store.settle(hold, now=1.0, request_id="r", model_id="m")
            assert leaky.lose == 0
            account, (rows, _) = await store.account("a"), await store.entries("a", limit=9, offset=0)
            assert account.balance == 4
            assert account.held == 0
            assert rows == [entry]
            leaky.lose = 1
            with pytest.raises(StoreUnavailable):  # counted or not: it is not sent again
                await store.strike("a", 9)
            assert leaky.lose == 0
            await asyncio.sleep(0.25)
            assert [await store.strike("a", 2) for _ in range(2)] == [True, False]
            await link.close()

    asyncio.run(story())


class Leaky:
    """A way to the server that loses the next ``lose`` answers, with their connections."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.lose = 0

    async def __aenter__(self) -> Leaky:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            while asked := await reader.read(1 << 16):
                far_writer.write(asked)
                answer = await far_reader.read(1 << 16)
                if b"EVALSHA" in asked and self.lose:
                    self.lose -= 1
                    return
                writer.write(answer)
        finally:
            for each in (writer, far_writer):
                each.close()


def test_a_server_that_forgot_everything_is_worked_with_anew(own_server: RedisServer) -> None:
    async def story() -> None:
        async with linked(own_server) as link:
            store = RedisStore(link, PREFIX)
            await store.open_account("a", Opening(Decimal(5)))
            hold = await store.hold("a", Decimal(1))
            assert isinstance(hold, Hold)
            own_server.ask("FLUSHALL")
            own_server.ask("SCRIPT FLUSH")
            assert await store.settle(hold, now=1.0, request_id="r", model_id="m") is None
            assert (await store.open_account("a", Opening(Decimal(9)))).balance == 9

    asyncio.run(story())


def test_a_server_that_is_full_is_one_that_is_lost_and_nothing_is_done_by_half(
    own_server: RedisServer,
) -> None:
    async def story() -> None:
        async with linked(own_server, patience_s=0.3) as link:
            store = RedisStore(link, PREFIX)
            await store.open_account("a", Opening(Decimal(5)))
            hold, other = [await store.hold("a", Decimal(1)) for _ in range(2)]
            assert isinstance(hold, Hold)
            assert isinstance(other, Hold)
            own_server.ask("CONFIG SET maxmemory 1")
            for refused in (store.hold("a", Decimal(1)), store.strike("a", 1)):
                with pytest.raises(StoreUnavailable):
                    await refused
                await asyncio.sleep(0.25)
            with contextlib.suppress(StoreUnavailable):
                await store.settle(hold, now=1.0, request_id="r", model_id="m")
            own_server.ask("CONFIG SET maxmemory 0")
            await asyncio.sleep(0.25)
            account, (rows, _) = await store.account("a"), await store.entries("a", limit=9, offset=0)
            assert account.balance + len(rows) == 5
            assert account.held + len(rows) == 2
            assert account.spent == len(rows)

    asyncio.run(story())


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    assert place_of("rediss://me:a-secret@example.test:6379/3?namespace=x") == "rediss://example.test:6379/3"
