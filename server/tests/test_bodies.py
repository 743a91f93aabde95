"""Large bodies wait outside: what is not admitted is not received, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi import Client, Reply, form_body
from conftest import MakeClient
from rulekit import PATIENCE_S, good_body, png, server_of, text_of
from venice_mock.edit.bodies import SMALL, Place
from venice_mock.edit.workshop import PixelBudget

MIB = 1 << 20
LARGE = 2 * MIB
FORM = "multipart/form-data; boundary=edge"


def padded(size: int) -> bytes:
    """A picture that is followed by so many bytes, which no reader looks at."""
    return png() + bytes(size)


@dataclass
class Upload:
    """A body that comes when ``go_on`` is set. ``asked``: somebody wanted to receive it."""

    body: bytes
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    leaves: bool = False

    async def receive(self) -> dict[str, Any]:
        self.asked.set()
        await self.go_on.wait()
        body, self.body = self.body, b""
        if body and not self.leaves:
            return {"type": "http.request", "body": body, "more_body": False}
        if not self.leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def to(self, client: Client, content_type: str = FORM, *, announced: bool = True) -> Reply:
        """The answer to it."""

        async def app(scope: Any, _: Any, send: Any) -> None:
            await client.app(scope, self.receive, send)

        headers = {"Content-Length": str(len(self.body))} if announced else {}
        sender = Client(app, runner=client.runner)
        return await sender.sending(self.body, content_type, headers=headers)


def upload(*more: tuple[str, str]) -> Upload:
    """A good edit as a form of more than LARGE bytes, and further fields."""
    return Upload(form_body([("image", padded(LARGE)), ("prompt", "make it warm"), *more]))


def used(client: Client) -> int:
    return server_of(client).workshop.bodies.used


async def told(client: Client) -> dict[str, int]:
    """What /metrics says of bodies."""
    reply = await client.sending(method="GET", path="/metrics", content_type=None, key=None)
    lines = (line.removeprefix("venice_mock_").split() for line in reply.body.decode().splitlines())
    return {words[0]: int(words[1]) for words in lines if words[0] in ("bodies_waiting", "body_bytes")}


async def turns() -> None:
    """Let everybody run who can."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_a_large_body_is_not_received_while_there_is_no_room_and_a_small_one_is(
    make_client: MakeClient,
) -> None:
    client = make_client(engine="fast", max_inflight_bytes=LARGE + MIB)

    async def scenario() -> None:
        first, second = upload(), upload()
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            one = group.create_task(first.to(client))
            await first.asked.wait()
            two = group.create_task(second.to(client))
            await turns()
            assert not second.asked.is_set()
            assert (await client.sending(good_body())).status == 200
            assert not second.asked.is_set()
            assert await told(client) == {"bodies_waiting": 1, "body_bytes": len(first.body)}
            first.go_on.set()
            assert (await one).status == 200
            await second.asked.wait()
            second.go_on.set()
            assert (await two).status == 200

    client.runner.run(scenario())
    assert used(client) == 0


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("limit", [1, 5 * MIB, 100_000_000])
def test_many_large_bodies_at_once_are_all_answered(
    make_client: MakeClient, limit: int, announced: bool
) -> None:
    client = make_client(engine="fast", max_inflight_bytes=limit, max_inflight_pixels=1, cache_bytes=0)
    text = good_body(image=text_of(padded(LARGE)))

    async def all_of_them() -> list[int]:
        async with asyncio.timeout(PATIENCE_S):
            uploads = [upload() if number % 2 else Upload(text) for number in range(12)]
            for each in uploads:
                each.go_on.set()
            kinds = (FORM if number % 2 else "application/json" for number in range(12))
            sent = [
                each.to(client, kind, announced=announced) for each, kind in zip(uploads, kinds, strict=True)
            ]
            return [reply.status for reply in await asyncio.gather(*sent)]

    assert client.runner.run(all_of_them()) == [200] * 12
    assert used(client) == 0


@pytest.mark.parametrize("end", ["refused", "left", "broken"])
def test_however_a_large_request_ends_its_place_is_given_back(make_client: MakeClient, end: str) -> None:
    client = make_client(engine="fast", max_inflight_bytes=1)

    async def scenario() -> None:
        for _ in range(3):
            given = upload(*[("aspect_ratio", "107:60")] * (end == "refused"))
            if end == "broken":
                given.body = given.body.replace(b"--edge--", b"--edge..")
            given.leaves = end == "left"
            given.go_on.set()
            async with asyncio.timeout(PATIENCE_S):
                assert (await given.to(client)).status == (499 if end == "left" else 400)
            assert used(client) == 0

    client.runner.run(scenario())


def test_a_picture_that_waits_for_its_turn_holds_the_file_alone_and_not_its_text(
    make_client: MakeClient,
) -> None:
    client = make_client(engine="fast", max_inflight_pixels=1)
    shop = server_of(client).workshop
    file = padded(3 * MIB)

    async def scenario() -> None:
        given = Upload(good_body(image=text_of(file)))
        given.go_on.set()
        await shop.budget.acquire(1)
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            answer = group.create_task(given.to(client, "application/json"))
            while not shop.budget.waiting:  # noqa: ASYNC110 - it has no event for that
                await asyncio.sleep(0)
            assert shop.bodies.used == len(file)
            shop.budget.release(1)
            assert (await answer).status == 200

    client.runner.run(scenario())


@given(
    st.lists(st.tuples(st.integers(0, 4 * SMALL), st.floats(0, 1)), min_size=1, max_size=10), st.booleans()
)
def test_places_never_hold_more_than_the_budget_and_everybody_gets_one(
    bodies: list[tuple[int, float]], announced: bool
) -> None:
    limit = 5 * SMALL

    async def scenario() -> None:
        budget = PixelBudget(limit)

        async def one(size: int, rest: float) -> None:
            with Place(budget) as place:
                for received in (0, SMALL, SMALL + 1, size):
                    waits = place.admit(size if announced else None, 5 * SMALL, received)
                    if waits is not None:
                        await waits
                assert budget.used <= limit
                await asyncio.sleep(0)
                place.keep(int(size * rest))
                place.keep(size)  # what was given back is not taken again
                await asyncio.sleep(0)

        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(one(size, rest) for size, rest in bodies))
        assert budget.used == 0

    asyncio.run(scenario())
