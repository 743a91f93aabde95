"""Bodies that came before: what is known of them changes no answer, and is bounded."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply
from edits import scene_png
from journals import entries
from rulekit import Clock, good, good_body, ledger_of, png, server_of, text_of
from sessions import opened
from venice_mock.app import create_app
from venice_mock.edit.body import read_body
from venice_mock.edit.fields import BadSyntax
from venice_mock.edit.readings import Reading, Readings
from venice_mock.edit.results import Result, Results
from venice_mock.settings import Settings

MakeClient = Callable[..., Client]
KEY = "a-test-key"
OF_ITS_MOMENT = frozenset(("x-mock-request-id", "x-venice-timestamp"))
TOLD = ("request", "caller", "image", "model", "prompt", "understood", "status", "error", "charged")


def lasting(reply: Reply) -> tuple[int, bytes, dict[str, str]]:
    """What does not depend on when the answer was sent."""
    headers = {name: value for name, value in reply.headers.items() if name not in OF_ITS_MOMENT}
    return reply.status, reply.body, headers


def readings_of(client: Client) -> Readings:
    """What is behind a client's application."""
    return server_of(client).workshop.readings


PICTURES = (png(), png(shade=20), png(8, 8), png(broken=True), scene_png(), b"no picture")
WAYS: tuple[Callable[[bytes], Any], ...] = (
    text_of,
    lambda data: "data:image/png;base64," + text_of(data),
    lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    lambda data: text_of(data) + "\n",
    lambda data: list(data[:3]),
)
ODD_IMAGES = ("", "not base64!", "data:,", "data:text/plain,a%20b", None, 7, {"a": 1}, "http://127.0.0.1:9/x")
IMAGES = st.one_of(
    st.builds(lambda way, data: way(data), st.sampled_from(WAYS), st.sampled_from(PICTURES)),
    st.sampled_from(ODD_IMAGES),
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "image": IMAGES,
        "prompt": st.sampled_from(["make it warm", "nude", "", 'é"\\ x', 5, "[[mock:seed=3]] warm", "gore"]),
        "model": st.sampled_from(["qwen-edit", "nano-banana-pro-edit", "no-such-model", ""]),
        "aspect_ratio": st.sampled_from(["1:1", "16:9", "107:60"]),
        "output_format": st.sampled_from(["png", "jpeg", "tiff"]),
        "safe_mode": st.sampled_from([True, False, "true"]),
        "api_key": st.just("a word of its own"),
        "a": st.just([[1], {}]),
    },
)
BODIES = st.builds(
    lambda fields, cut: json.dumps(fields).encode()[: None if cut else -1],
    FIELDS,
    st.sampled_from([True, True, True, False]),
)
STEERED = st.sampled_from([None, None, "seed=1", "adult=yes", "error=rate_limited", "fault=wrong_media_type"])


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(BODIES, min_size=1, max_size=4), steered=st.lists(STEERED, min_size=3, max_size=5))
def test_a_body_that_came_before_is_answered_and_told_as_if_it_had_not(
    asked: list[bytes], steered: list[str | None]
) -> None:
    kept, anew = (
        Client(create_app(Settings(engine="fast", cache_bytes=size), wall_clock=Clock()))
        for size in (1 << 20, 0)
    )
    with contextlib.closing(kept), contextlib.closing(anew):
        for order in (None, None, *steered):
            for body in asked:
                headers = None if order is None else {"X-Mock": order}
                one, other = (lasting(client.send(body, headers=headers)) for client in (kept, anew))
                assert one == other
        told, untold = (
            [[entry[name] for name in TOLD] for entry in entries(client)] for client in (kept, anew)
        )
        assert told == untold
        one_story, other_story = (
            [(story.input, story.fields, story.fingerprint) for story in server_of(client).session.journal]
            for client in (kept, anew)
        )
        assert [comparable(*found) for found in one_story] == [comparable(*found) for found in other_story]


def comparable(picture: Any, fields: Any, fingerprint: Any) -> Any:
    """What a story tells of its picture, without how it was found out."""
    if picture is None:
        return fields, fingerprint
    told = {name: getattr(picture, name) for name in picture.__slots__ if name != "looked_at"}
    told["data"] = None if picture.data is None else bytes(picture.data)
    told.pop("thumbnail")
    return told, fields, fingerprint


def test_a_body_is_kept_when_it_comes_again_and_known_from_then_on(client: Client) -> None:
    replies = []
    for kept, hits in ((0, 0), (1, 0), (1, 1), (1, 2)):
        replies.append(client.send(good_body()))
        assert (len(readings_of(client)), readings_of(client).hits) == (kept, hits)
    assert {reply.body for reply in replies} == {replies[0].body}
    assert [entry.amount for entry in ledger_of(client, KEY)] == [Decimal("-0.04")] * 4


def test_who_calls_is_looked_at_every_time(client: Client) -> None:
    assert [client.send(good_body()).status for _ in range(3)] == [200] * 3
    for key, status in ((None, 402), ("mock_invalid_key", 401), ("mock_insufficient_balance", 402)):
        assert client.send(good_body(), key=key).status == status
    assert client.send(good_body(), headers={"X-Mock": "error=image_edit_error"}).status == 500


@pytest.mark.parametrize("changed", [{"behavior": "observed"}, {"default_model": "nano-banana-pro-edit"}])
def test_a_session_with_other_terms_judges_a_known_body_anew(client: Client, changed: dict[str, str]) -> None:
    body = good_body(quality="high") if "behavior" in changed else good_body()
    changed = {"default_model": str(server_of(client).contract.way("default-model")), **changed}
    same, other = opened(client, "same"), opened(client, "other", **changed)
    for _ in range(3):
        here, there, usual = client.send(body), other.send(body), same.send(body)
        assert lasting(here)[:2] == lasting(usual)[:2]
        assert lasting(here)[:2] != lasting(there)[:2]


def test_another_body_with_the_same_samples_is_another() -> None:
    words = "warm " * 400
    bodies = [good_body(prompt=words + letter + words * 3, image="!") for letter in "ab"]
    readings = Readings(Results(1 << 20))
    for body in (bodies[0], bodies[0], bodies[0], bodies[1], bodies[1], bodies[0]):
        fields, _ = readings.read(body)
        assert fields["prompt"] == json.loads(body)["prompt"]
    assert (len(readings), readings.hits) == (1, 2)


def test_what_a_caller_does_with_the_fields_is_its_own() -> None:
    readings = Readings(Results(1 << 20))
    for _ in range(4):
        fields, _ = readings.read(bytearray(good_body()))
        assert fields.keys() == good().keys()
        fields.clear()


def test_what_is_no_json_is_refused_every_time() -> None:
    readings = Readings(Results(1 << 20))
    for _ in range(3):
        with pytest.raises(BadSyntax):
            readings.read(b'{"image": ')
    assert len(readings) == 0


def test_bodies_are_bounded_and_share_the_memory_of_pictures() -> None:
    results = Results(400_000)
    readings = Readings(results)
    bodies = [good_body(prompt=f"number {number}") for number in range(200)]
    for body in bodies:
        for _ in range(2):
            readings.read(body)
        assert readings.bytes <= results.limit // 4
    assert results.lent == readings.bytes > 0
    assert 0 < len(readings) < len(bodies)
    assert readings.read(bodies[-1])[1] is not None
    assert isinstance(readings.read(bodies[-1])[1], Reading)


def test_what_was_read_of_a_body_weighs_too() -> None:
    readings = Readings(Results(1 << 24))
    body = json.dumps({"prompt": "a" * 100_000 + "\N{SUNRISE}"}, ensure_ascii=False).encode()
    for _ in range(2):
        readings.read(body)
    assert len(readings) == 1
    assert readings.bytes > 500_000


def test_pictures_give_way_to_bodies() -> None:
    results = Results(10_000)
    results._keep(b"a", Result(bytes(4000)))
    results._keep(b"b", Result(bytes(4000)))
    results.lend(2000)
    assert (results.kept(b"a"), results.evictions) == (None, 1)
    assert results.kept(b"b") is not None


def test_without_a_cache_no_body_is_kept(make_client: MakeClient) -> None:
    client = make_client(cache_bytes=0)
    for _ in range(3):
        client.send(good_body())
    assert len(readings_of(client)) == 0


def in_pieces(client: Client, body: bytes, size: int) -> Reply:
    """Sent in chunks of ``size`` bytes, with the length announced."""
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return client.send(chunks, headers={"Content-Length": str(len(body))})


def test_a_known_body_that_comes_in_pieces_is_compared_piece_by_piece(client: Client) -> None:
    words = "warm " * 300
    one = good_body(prompt=words + "a" + words, aspect_ratio="1:1", image="!" + "A" * 9000)
    variants = [
        one,
        one[:-30] + one[-30:].replace(b"1:1", b"7:1"),
        one.replace(b"m a", b"m b").replace(b" aw", b" bw"),
        one.replace(b"!A", b"!B"),
    ]
    assert {len(body) for body in variants} == {len(one)}
    alone = [in_pieces(client, body, len(one)) for body in variants]
    for _ in range(3):
        for size in (100, 1000, 4096, len(one) - 1):
            for body, expected in zip(variants, alone, strict=True):
                reply = in_pieces(client, body, size)
                assert (reply.status, reply.body) == (expected.status, expected.body)
                told = server_of(client).session.journal.after(0)[-1].fields
                assert told is not None
                assert told["prompt"] == json.loads(body)["prompt"]


@given(
    body=st.binary(max_size=60),
    other=st.binary(max_size=60),
    common=st.integers(0, 60),
    size=st.integers(1, 20),
)
def test_whatever_is_guessed_the_body_is_what_came(body: bytes, other: bytes, common: int, size: int) -> None:
    guessed = body[:common] + other[common:]
    chunks = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    messages = iter(
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    )

    async def receive() -> Any:
        return next(messages)

    assert asyncio.run(read_body(receive, limit=100, timeout=9, guess=lambda _: guessed)) == body


def test_what_was_let_go_is_guessed_no_more() -> None:
    readings = Readings(Results(400_000))
    bodies = [json.dumps({"prompt": number, **good(prompt=number)}).encode() for number in range(100, 300)]
    for body in bodies * 2:
        readings.read(body)
    guessed = [readings.guess(len(body), body) for body in bodies]
    assert bodies[-1] in guessed
    assert 0 < sum(body is not None for body in guessed) <= len(readings)
