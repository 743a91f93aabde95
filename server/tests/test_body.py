"""Bodies within bounds of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from venice_mock.edit.body import BodyTooLarge, BodyTooSlow, ClientLeft, announced_length, read_body


class Wire:
    """An ASGI receive that hands out messages and counts them; a string waits for ever."""

    def __init__(self, *messages: Any) -> None:
        self._messages: Iterator[Any] = iter(messages)
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        message = next(self._messages)
        self.taken += 1
        if message == "silence":
            await asyncio.Event().wait()
        return dict(message)


def chunk(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def read(wire: Wire, limit: int = 100, timeout: float = 30) -> bytes:
    return bytes(asyncio.run(read_body(wire, limit=limit, timeout=timeout)))


def test_a_body_in_pieces_comes_back_whole() -> None:
    assert read(Wire(chunk(b"ab"), chunk(b""), chunk(b"cd", more=False))) == b"abcd"


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    assert len(read(Wire(chunk(b"x" * 100, more=False)))) == 100


@pytest.mark.rules("EDIT-HTTP-022")
def test_a_body_over_the_limit_is_stopped_at_the_chunk_that_passes_it() -> None:
    wire = Wire(*[chunk(b"x" * 60)] * 50)
    with pytest.raises(BodyTooLarge):
        read(wire)
    assert wire.taken == 2


def test_a_client_that_leaves_ends_the_reading() -> None:
    with pytest.raises(ClientLeft):
        read(Wire(chunk(b"x"), {"type": "http.disconnect"}))


@pytest.mark.rules("EDIT-HTTP-024")
def test_a_body_that_stops_arriving_is_given_up() -> None:
    with pytest.raises(BodyTooSlow):
        read(Wire(chunk(b"x"), "silence"), timeout=0.01)


def test_the_time_that_a_body_is_not_asked_for_is_not_held_against_it() -> None:
    async def wait(_: int) -> None:
        await asyncio.sleep(0.06)

    async def scenario() -> bytes:
        wire = Wire(chunk(b"a"), chunk(b"b", more=False))
        return bytes(await read_body(wire, limit=9, timeout=0.02, admit=wait))  # 0.08 s for the whole

    assert asyncio.run(scenario()) == b"ab"


@pytest.mark.rules("EDIT-HTTP-024")
def test_a_body_that_drips_is_given_up_after_four_times_the_pause() -> None:
    class Drip(Wire):
        async def __call__(self) -> dict[str, Any]:
            await asyncio.sleep(0.005)
            return chunk(b"x")

    with pytest.raises(BodyTooSlow):
        read(Drip(), limit=1 << 30, timeout=0.02)


@pytest.mark.parametrize(
    ("text", "length"), [("5", 5), ("", None), ("-5", None), ("x", None), ("9" * 30, None), ("٣", None)]
)
def test_an_announced_length_is_a_plain_number_or_nothing(text: str, length: int | None) -> None:
    assert announced_length({"content-length": text}) == length
