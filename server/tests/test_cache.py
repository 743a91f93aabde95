"""The cache seen from outside: the same answers as without it, paid for as ever, and never another order's picture."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply, request
from edits import scene_png
from journals import entries, newest
from rulekit import (
    EDIT,
    PATIENCE_S,
    SMALL,
    TEST_EDITION,
    Clock,
    good,
    good_body,
    ledger_of,
    png,
    server_of,
    text_of,
)
from sessions import opened
from venice_mock.app import create_app
from venice_mock.contract import Contract, load_contract
from venice_mock.edit import endpoint, making
from venice_mock.edit.fields import Upload
from venice_mock.edit.judging import judge_image
from venice_mock.edit.making import Notes, Order, key_of
from venice_mock.edit.request import EditPlan, EditRequest
from venice_mock.edit.safety import Classification
from venice_mock.edit.validation import validate
from venice_mock.settings import Settings
from wallets import control

MakeClient = Callable[..., Client]
KEY = "a-test-key"
OF_ITS_MOMENT = frozenset(("x-mock-request-id", "x-venice-timestamp"))
make_picture = making.make_picture


class Studio:
    """Counts the pictures that are made, and makes them only while it is open."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)
        self.open.set()

    def make(self, contract: Contract, order: Order) -> bytes:
        self.orders.append(order)
        self.begun.release()
        assert self.open.wait(PATIENCE_S)
        return make_picture(contract, order)


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    found = Studio()
    monkeypatch.setattr(endpoint, "make_picture", found.make)
    yield found
    found.open.set()


def told(client: Client) -> dict[str, int]:
    """What /__mock says of the cache."""
    said: dict[str, int] = client.get("/__mock").json["cache"]
    return said


async def joined(client: Client, askers: int) -> None:
    """Wait until so many wait for a picture that is being made for somebody else."""
    while server_of(client).workshop.results.hits < askers:  # noqa: ASYNC110 - the cache need not tell its tests
        await asyncio.sleep(0)


def lasting(reply: Reply) -> dict[str, str]:
    """The headers that do not depend on when the answer was sent."""
    return {name: value for name, value in reply.headers.items() if name not in OF_ITS_MOMENT}


# --- a hit ------------------------------------------------------------------------------------------------------


def test_the_same_edit_again_is_not_made_again_and_answered_alike(
    make_client: MakeClient, studio: Studio
) -> None:
    client = make_client(wall_clock=Clock())
    one, again = client.edit(**good()), client.edit(key="another-key", **good())
    assert (one.status, again.status) == (200, 200)
    assert one.body == again.body
    assert lasting(one) == lasting(again)
    assert len(studio.orders) == 1
    said = told(client)
    assert (said["hits"], said["misses"], said["entries"], said["evictions"]) == (1, 1, 1, 0)
    assert len(one.body) < said["bytes"] < said["limit_bytes"]


def test_a_hit_is_paid_for(client: Client, studio: Studio) -> None:
    for _ in range(3):
        assert client.edit(**good()).status == 200
    assert [entry.amount for entry in ledger_of(client, KEY)] == [Decimal("-0.04")] * 3
    assert len(studio.orders) == 1


def test_who_has_no_money_gets_no_kept_picture(make_client: MakeClient) -> None:
    client = make_client(balance=Decimal("0.07"))
    assert [client.edit(**good()).status for _ in range(2)] == [200, 402]
    assert told(client)["hits"] == 0


@pytest.mark.parametrize(
    ("key", "status"),
    [("mock_invalid_key", 401), ("mock_insufficient_balance", 402), ("mock_rate_limited", 429)],
)
def test_who_is_refused_is_refused_before_any_kept_picture(client: Client, key: str, status: int) -> None:
    assert client.edit(**good()).status == 200
    assert client.edit(key=key, **good()).status == status
    assert told(client)["hits"] == 0


def test_limits_count_hits_too(make_client: MakeClient) -> None:
    client = make_client(limits="real", engine="fast")
    limit = server_of(client).contract.edition.limits.image_requests_per_minute
    assert [client.edit(**good()).status for _ in range(limit + 1)] == [200] * limit + [429]


def test_rules_and_faults_steer_hits_too(client: Client, studio: Studio) -> None:
    assert client.edit(**good()).status == 200
    error = client.edit(headers={"X-Mock": "error=IMAGE_EDIT_ERROR"}, **good())
    spoilt = client.edit(headers={"X-Mock": "fault=wrong_media_type"}, **good())
    assert error.status == 500
    assert spoilt.headers["content-type"] != "image/png"
    assert len(studio.orders) == 1


def test_the_journal_tells_a_hit_as_it_tells_what_was_made(client: Client) -> None:
    for _ in range(2):
        assert client.edit(**good()).status == 200
    again, first = entries(client)
    assert again["image"]["sha256"] == first["image"]["sha256"] == hashlib.sha256(SMALL).hexdigest()
    assert again["charged"] is first["charged"] is True
    for picture in ("input", "output", "thumbnail", "thumbnail?of=input"):
        paths = [f"/__mock/requests/{entry['id']}/{picture}" for entry in (first, again)]
        bodies = [client.get(path) for path in paths]
        assert [reply.status for reply in bodies] == [200, 200]
        assert bodies[0].body == bodies[1].body


def test_the_journal_and_the_cache_hold_the_same_bytes(client: Client) -> None:
    for _ in range(2):
        client.edit(**good())
    first, again = (story.output.pieces for story in server_of(client).tenants.default.journal)
    assert first is not None
    assert again is not None
    assert first[0] is again[0]


def test_sessions_share_pictures_and_nothing_else(make_client: MakeClient, studio: Studio) -> None:
    client = make_client()
    one, other = client.edit(**good()), opened(client, "t1").edit(**good())
    assert one.body == other.body
    assert len(studio.orders) == 1
    assert len(ledger_of(client, KEY)) == 1


def test_a_reset_keeps_pictures_because_it_changes_none(client: Client, studio: Studio) -> None:
    one = client.edit(**good())
    assert control(client, "POST", "/__mock/reset").status == 200
    again = client.edit(**good())
    assert (again.status, again.body) == (200, one.body)
    assert len(studio.orders) == 1


def test_metrics_tell_what_the_cache_did(client: Client) -> None:
    for _ in range(3):
        client.edit(**good())
    lines = client.get("/metrics").body.decode().splitlines()
    assert {"venice_mock_cache_hits_total 2", "venice_mock_cache_misses_total 1"} <= set(lines)
    said = told(client)
    assert f"venice_mock_cache_bytes {said['bytes']}" in lines
    assert "venice_mock_cache_entries 1" in lines
    assert "venice_mock_cache_evictions_total 0" in lines


def test_it_can_be_turned_off(make_client: MakeClient, studio: Studio) -> None:
    client = make_client(cache_bytes=0)
    one, again = client.edit(**good()), client.edit(**good())
    assert one.body == again.body
    assert len(studio.orders) == 2
    assert told(client) == dict.fromkeys(
        ("hits", "misses", "entries", "bytes", "limit_bytes", "evictions"), 0
    )


def test_it_never_holds_more_than_it_may(make_client: MakeClient) -> None:
    client = make_client(engine="fast", cache_bytes=20_000)
    for shade in range(40):
        assert client.edit(**good(image=text_of(png(shade=shade)))).status == 200
        assert told(client)["bytes"] <= 20_000
    said = told(client)
    assert said["misses"] == 40
    assert said["entries"] + said["evictions"] == 40
    assert 0 < said["entries"] < 40


# --- many at once -----------------------------------------------------------------------------------------------


def test_the_same_edit_many_times_at_once_is_made_once_and_paid_by_each(
    client: Client, studio: Studio
) -> None:
    async def together() -> list[Reply]:
        studio.open.clear()
        asking = [asyncio.create_task(client.sending(good_body(), key=f"key-{n}")) for n in range(6)]
        assert await asyncio.to_thread(studio.begun.acquire, timeout=PATIENCE_S)
        await joined(client, 5)
        studio.open.set()
        return await asyncio.gather(*asking)

    replies = client.runner.run(together())
    assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}
    assert len(studio.orders) == 1
    assert [len(ledger_of(client, f"key-{n}")) for n in range(6)] == [1] * 6


def test_a_client_who_leaves_pays_nothing_and_whoever_waits_for_the_same_gets_it(
    client: Client, studio: Studio
) -> None:
    async def one_leaves() -> tuple[Reply, Reply]:
        studio.open.clear()
        leave = asyncio.Event()
        headers = [("content-type", "application/json"), ("authorization", "Bearer leaver")]
        first = asyncio.create_task(request(client.app, "POST", EDIT, headers, [good_body()], leave=leave))
        assert await asyncio.to_thread(studio.begun.acquire, timeout=PATIENCE_S)
        second = asyncio.create_task(client.sending(good_body(), key="stayer"))
        await joined(client, 1)
        leave.set()
        left = await first
        studio.open.set()
        return left, await second

    left, stayed = client.runner.run(one_leaves())
    assert (left.status, stayed.status) == (499, 200)
    assert (len(ledger_of(client, "leaver")), len(ledger_of(client, "stayer"))) == (0, 1)
    assert len(studio.orders) == 1


def test_a_broken_picture_is_refused_every_time_and_never_paid_for(client: Client, studio: Studio) -> None:
    broken = good(image=text_of(png(broken=True)))
    assert [client.edit(**broken).status for _ in range(2)] == [400, 400]
    assert len(studio.orders) == 2
    assert ledger_of(client, KEY) == []
    assert told(client)["entries"] == 0
    assert newest(client)["image"]["sha256"] == hashlib.sha256(png(broken=True)).hexdigest()


# --- what is part of an order -----------------------------------------------------------------------------------


def ordered(contract: Contract, **changes: Any) -> Order:
    """The order of a good request."""
    raw = {"image": Upload(SMALL), "prompt": "make it warm", **changes}
    asked = validate(contract, raw, str(contract.way("default-model")))
    digest = hashlib.sha256(SMALL).hexdigest()
    return judge_image(contract, asked, SMALL, sha256=digest, seed=1, engine="paint", caption=True)


# Another value for every field of an order. A field that is new must be put here, and into the key.
REQUESTS: dict[str, Any] = {
    "prompt": "make it cold",
    "aspect_ratio": "16:9",
    "resolution": "2K",
    "output_format": "webp",
    "quality": "high",
    "safe_mode": False,
    "enhance_prompt": True,
}
PLANS: dict[str, Any] = {
    "size": (512, 256),
    "ratio": "2:1",
    "output_format": "jpeg",
    "quality": "high",
    "price": Decimal("0.05"),
    "enhanced_prompt": "make it warm, softly",
}
CONTENTS: dict[str, Any] = {"adult": True, "policy": True}
ORDERS: dict[str, Any] = {"sha256": "0" * 64, "seed": 2, "engine": "fast", "caption": False}
# Found in the file, whose hash stands for them; or told by the picture's making.
NO_PART = {"image", "data", "probe", "notes"}


def test_every_field_of_an_order_is_part_of_its_key(contract: Contract) -> None:
    base = ordered(contract)
    other_model = next(m for m in contract.inpaint_models if m.id != base.request.model.id)
    requests: dict[str, Any] = {**REQUESTS, "model": other_model}

    def names(record: type) -> set[str]:
        return {field.name for field in dataclasses.fields(record)}

    assert names(EditRequest) - NO_PART == set(requests)
    assert names(EditPlan) == set(PLANS)
    assert names(Classification) == set(CONTENTS)
    assert names(Order) - NO_PART - {"request", "plan", "content"} == set(ORDERS)
    changed = [
        *(
            dataclasses.replace(base, request=dataclasses.replace(base.request, **{k: v}))
            for k, v in requests.items()
        ),
        *(dataclasses.replace(base, plan=dataclasses.replace(base.plan, **{k: v})) for k, v in PLANS.items()),
        *(
            dataclasses.replace(base, content=dataclasses.replace(base.content, **{k: v}))
            for k, v in CONTENTS.items()
        ),
        *(dataclasses.replace(base, **{k: v}) for k, v in ORDERS.items()),
    ]
    keys = {key_of(contract, order) for order in (base, *changed)}
    assert len(keys) == len(changed) + 1


def test_what_plays_no_part_is_not_in_the_key(contract: Contract) -> None:
    base = ordered(contract)
    told_of = dataclasses.replace(base, notes=Notes(), data=memoryview(SMALL))
    assert key_of(contract, told_of) == key_of(contract, base) == key_of(contract, ordered(contract))


def test_editions_and_behaviours_have_keys_of_their_own(contract: Contract, observed: Contract) -> None:
    other, order = load_contract(str(TEST_EDITION)), ordered(contract)
    assert len({key_of(each, order) for each in (contract, observed, other)}) == 3


def test_prompts_that_only_look_alike_have_keys_of_their_own(contract: Contract) -> None:
    prompts = ["a", "a ", "a'", "a\\", "a\0", "a\ud800", "ä", "a\u0308", "', 'a"]
    assert len({key_of(contract, ordered(contract, prompt=prompt)) for prompt in prompts}) == len(prompts)


@settings(max_examples=25, deadline=None)
@given(
    asked=st.lists(
        st.fixed_dictionaries(
            {
                "image": st.sampled_from([text_of(png()), text_of(png(shade=20)), text_of(scene_png())]),
                "prompt": st.sampled_from(["make it warm", "make it cold", "nude", "sketch"]),
            },
            optional={
                "model": st.sampled_from(["qwen-edit", "nano-banana-pro-edit"]),
                "aspect_ratio": st.sampled_from(["1:1", "16:9"]),
                "output_format": st.sampled_from(["png", "jpeg", "webp"]),
                "safe_mode": st.booleans(),
            },
        ),
        min_size=2,
        max_size=12,
    ),
    steered=st.lists(st.sampled_from(["seed=1", "seed=2", "adult=yes", "adult=no"]), max_size=12),
)
def test_a_server_with_a_cache_answers_as_one_without(
    asked: list[dict[str, Any]], steered: list[str]
) -> None:
    kept, anew = (
        Client(create_app(Settings(engine="fast", cache_bytes=size), wall_clock=Clock()))
        for size in (40_000, 0)
    )
    with contextlib.closing(kept), contextlib.closing(anew):
        for number, fields in enumerate(asked):
            headers = {"X-Mock": steered[number]} if number < len(steered) else None
            one, other = (client.edit(headers=headers, **fields) for client in (kept, anew))
            assert (one.status, one.body, lasting(one)) == (other.status, other.body, lasting(other))
