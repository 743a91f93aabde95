"""The session's clock through the control plane: reading, freezing, shifting, moving on, and bad requests."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply
from rulekit import Clock, good
from venice_mock.app import create_app
from venice_mock.settings import Settings
from venice_mock.times import iso_time
from venice_mock.web import guarded as application
from wallet_kit import JSON
from wallets import CLOCK, SOLANGE, MakeClient, Purse, advance, control, freeze, now_of

WALL = 1_800_000_000.25
ADVANCE = CLOCK + "/advance"
CHANGES = [("PUT", CLOCK), ("POST", ADVANCE)]


@pytest.fixture
def wall() -> Clock:
    return Clock(WALL)


@pytest.fixture
def client(make_client: MakeClient, wall: Clock) -> Client:
    return make_client(wall_clock=wall)


def told(client: Client) -> dict[str, Any]:
    reply = client.get(CLOCK)
    assert reply.status == 200
    body: dict[str, Any] = reply.json
    return body


def refused(reply: Reply, status: int = 400) -> None:
    assert (reply.status, list(reply.json)) == (status, ["error"]), reply.body[:300]
    assert isinstance(reply.json["error"], str)


def test_the_clock_runs_with_the_wall_until_it_is_told_otherwise(client: Client, wall: Clock) -> None:
    assert told(client) == {"now": "2027-01-15T08:00:00.250Z", "frozen_at": None, "offset_s": 0.0}
    wall.now += 5
    assert told(client)["now"] == "2027-01-15T08:00:05.250Z"


def test_a_frozen_clock_stands_until_it_is_let_go(client: Client, wall: Clock) -> None:
    reply = control(client, "PUT", CLOCK, frozen_at="2026-09-01T12:00:00Z")
    moment = "2026-09-01T12:00:00.000Z"
    assert (reply.status, reply.json) == (200, {"now": moment, "frozen_at": moment, "offset_s": 0.0})
    wall.now += 1000
    assert told(client) == reply.json
    assert control(client, "PUT", CLOCK, frozen_at=None).json["now"] == iso_time(wall.now)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-09-01T12:00:00.123Z", "2026-09-01T12:00:00.123Z"),
        ("2026-09-01T14:00:00+02:00", "2026-09-01T12:00:00.000Z"),
        ("2026-09-01T12:00:00", "2026-09-01T12:00:00.000Z"),
        ("2026-09-01", "2026-09-01T00:00:00.000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_is_any_iso_8601_time_and_utc_without_a_zone(
    client: Client, written: str, meant: str
) -> None:
    assert control(client, "PUT", CLOCK, frozen_at=written).json["frozen_at"] == meant


@pytest.mark.parametrize("offset", [0, 3600, -3600, 0.5, 1e9])
def test_a_shifted_clock_runs_so_far_from_the_wall(client: Client, wall: Clock, offset: float) -> None:
    freeze(client)
    reply = control(client, "PUT", CLOCK, offset_s=offset)
    assert reply.json == {"now": iso_time(WALL + offset), "frozen_at": None, "offset_s": offset}
    wall.now += 7
    assert told(client)["now"] == iso_time(WALL + offset + 7)


def test_advancing_moves_a_standing_and_a_running_clock(client: Client, wall: Clock) -> None:
    reply = control(client, "POST", ADVANCE, seconds=60)
    assert (reply.status, reply.json["now"], reply.json["offset_s"]) == (200, iso_time(WALL + 60), 60.0)
    advance(client, 0.5)
    assert told(client)["offset_s"] == 60.5
    wall.now += 1
    assert now_of(client) == WALL + 61.5
    freeze(client, 1_700_000_000)
    wall.now += 1000
    reply = control(client, "POST", ADVANCE, seconds=1.5)
    assert (reply.json["now"], reply.json["frozen_at"]) == (iso_time(1_700_000_001.5),) * 2


def test_every_time_that_the_server_tells_is_the_clocks(client: Client) -> None:
    freeze(client, 1_700_000_000)
    reply = client.edit(key=None, **good())
    told_at = iso_time(1_700_000_000)
    assert reply.headers["x-venice-timestamp"] == told_at == "2023-11-14T22:13:20.000Z"
    assert reply.json["extensions"]["sign-in-with-x"]["info"]["issuedAt"] == told_at
    purse = Purse(client, SOLANGE)
    assert purse.top_up().status == 200
    assert [row["createdAt"] for row in purse.transactions()["transactions"]] == [told_at]


def test_servers_have_clocks_of_their_own(make_client: MakeClient) -> None:
    one, other = make_client(wall_clock=Clock()), make_client(wall_clock=Clock())
    advance(one, 500)
    assert now_of(one) - now_of(other) == 500


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 5000, b'{"a": ' * 5000),
        *(b"{}", b'{"frozen_at": "2026-09-01", "offset_s": 0}', b'{"frozen_at": 5}', b'{"frozen_at": ""}'),
        *(b'{"frozen_at": "noon"}', b'{"frozen_at": "1969-12-31T23:59:59Z"}', b'{"frozen_at": "9999-12-31"}'),
        *(b'{"frozen_at": "0001-01-01T00:00:00+23:59"}', b'{"frozen_at": "\\ud800"}', b'{"frozen": null}'),
        *(b'{"offset_s": "1"}', b'{"offset_s": null}', b'{"offset_s": 1e11}', b'{"offset_s": -1e11}'),
        *(b'{"offset_s": 1e999}', b'{"offset_s": NaN}', b'{"offset_s": true}', b'{"offset_s": 0, "more": 1}'),
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_changes_nothing(client: Client, body: bytes) -> None:
    before = told(freeze(client))
    refused(client.send(body, method="PUT", path=CLOCK, key=None))
    assert told(client) == before


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"{}", b"[5]", b'{"seconds": "5"}', b'{"seconds": null}', b'{"seconds": 1, "x": 1}'),
        *(b'{"seconds": -0.001}', b'{"seconds": 1e11}', b'{"seconds": 1e999}', b'{"second": 1}'),
    ],
)
def test_a_step_that_cannot_be_is_refused_and_changes_nothing(client: Client, body: bytes) -> None:
    before = told(freeze(client))
    refused(client.send(body, method="POST", path=ADVANCE, key=None))
    assert told(client) == before


@pytest.mark.parametrize("frozen", [True, False])
def test_no_number_of_steps_leads_where_dates_cannot_be_written(client: Client, frozen: bool) -> None:
    if frozen:
        freeze(client)
    century = 100 * 365 * 86_400
    steps = [control(client, "POST", ADVANCE, seconds=century) for _ in range(5)]
    assert [step.status for step in steps] == [200, 400, 400, 400, 400]
    refused(steps[-1])
    assert client.edit(key=None, **good()).status == 402
    assert datetime.fromtimestamp(now_of(client), UTC).year in (2126, 2127)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_body_beyond_a_mebibyte_is_too_large(client: Client, method: str, path: str) -> None:
    padded = json.dumps({"offset_s": 0}).encode() + b" " * (1 << 20)
    refused(client.send(padded, method=method, path=path, key=None), 413)
    refused(client.send([b" " * 1000] * 1100, method=method, path=path, key=None), 413)
    exact = b'{"offset_s": 5}'.ljust(1 << 20)
    assert client.send(exact, method="PUT", path=CLOCK, key=None).json["offset_s"] == 5


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_body_that_never_arrives_is_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(application, "_PATIENCE_S", 0.01)

    async def silent() -> list[Any]:
        answer: list[Any] = []

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            answer.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
        await client.app({**scope, "http_version": "1.1", "scheme": "http"}, receive, send)
        return answer

    start, *_ = client.runner.run(silent())
    assert start["status"] == 400
    assert (b"connection", b"close") in start["headers"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", CLOCK), ("DELETE", CLOCK), ("PATCH", CLOCK), ("GET", ADVANCE), ("PUT", ADVANCE)],
)
def test_other_methods_are_not_allowed(client: Client, method: str, path: str) -> None:
    assert client.send(b"{}", method=method, path=path, key=None).status == 405


MEMBERS = st.sampled_from(["frozen_at", "offset_s", "seconds"])
MOMENTS = st.one_of(st.datetimes().map(str), st.text(max_size=30), st.floats(), st.integers(), st.none())


@settings(max_examples=150, deadline=None, database=None)
@given(st.sampled_from(CHANGES), JSON | st.dictionaries(MEMBERS, MOMENTS, max_size=2))
def test_whatever_the_clock_is_told_the_server_lives_on(change: tuple[str, str], body: Any) -> None:
    client, (method, path) = Client(create_app(Settings(engine="fast"))), change
    reply = client.send(json.dumps(body).encode(), method=method, path=path, key=None)
    assert reply.status in (200, 400)
    assert client.get(CLOCK).status == 200
    assert client.edit(key=None, **good()).status == 402
    assert client.edit(key="mock_insufficient_balance", **good()).status == 402
    client.close()
