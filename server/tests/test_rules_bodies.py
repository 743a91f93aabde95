"""Bodies that are too large, too slow or left behind, and what holds for every answer whatever was sent."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import pytest

from asgi import Client, Reply, form_body, request
from conftest import MakeClient
from rulekit import (
    EDIT,
    PATIENCE_S,
    SMALL,
    account_of,
    good,
    good_body,
    ledger_of,
    png,
    server_of,
    text_of,
    wire,
)
from venice_mock.accounts.keys import account_id
from venice_mock.edit import endpoint, making

KEY = "a-test-key"
MIB = 1 << 20
MAX_JSON = 36_700_160
TOO_LARGE = {"code": "PAYLOAD_TOO_LARGE", "error": "File exceeds the maximum allowed size of 25 MB."}
FORM_HEAD = form_body([("image", b"")]).removesuffix(b"\r\n--edge--\r\n")


@dataclass
class Feed:
    """A client's body, piece by piece; then it is silent for ever, or it leaves. ``taken`` counts the pieces."""

    pieces: list[bytes]
    then: Literal["silence", "leaving"] = "silence"
    taken: int = 0

    async def receive(self) -> dict[str, Any]:
        if self.taken < len(self.pieces):
            self.taken += 1
            return {"type": "http.request", "body": self.pieces[self.taken - 1], "more_body": True}
        if self.then == "silence":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    def to(self, client: Client) -> Client:
        """A client of the same server whose requests have this body."""

        async def app(scope: Any, _: Any, send: Any) -> None:
            await client.app(scope, self.receive, send)

        return Client(app, runner=client.runner)


@pytest.mark.rules("EDIT-HTTP-022")
def test_a_json_body_announced_as_too_large_is_refused_unread(client: Client) -> None:
    body = Feed([b"{", b"x"])
    reply = body.to(client).send(headers={"Content-Length": str(MAX_JSON + 1)})
    assert (reply.status, reply.json) == (413, TOO_LARGE)
    assert body.taken == 0
    allowed = client.send(b"{", headers={"Content-Length": str(MAX_JSON)})
    assert (allowed.status, allowed.json) == (400, {"error": "Invalid JSON request"})


@pytest.mark.rules("EDIT-HTTP-022", "EDIT-HTTP-023")
@pytest.mark.parametrize(
    ("content_type", "first", "limit"),
    [
        ("application/json", b'{"image":"', MAX_JSON),
        ("multipart/form-data; boundary=edge", FORM_HEAD, 25 * MIB),
    ],
)
def test_an_over_size_body_is_answered_while_it_still_arrives(
    client: Client, content_type: str, first: bytes, limit: int
) -> None:
    body = Feed([first, *[b"A" * MIB] * 60])
    reply = body.to(client).send(content_type=content_type)
    assert (reply.status, reply.json) == (413, TOO_LARGE)
    assert body.taken == 1 + limit // MIB  # the head, and the pieces up to the one that passes the limit


@pytest.mark.rules("EDIT-HTTP-022")
def test_the_largest_legal_file_as_base64_fits_into_a_json_body(client: Client) -> None:
    text = text_of(bytes(26_214_399))
    reply = client.send(good_body(image=text))
    assert reply.status == 400  # zeros are no picture, but their number is no fault
    assert reply.json == {"error": "The image file is corrupted or unreadable"}
    assert client.send(good_body(image=text_of(bytes(26_214_400)))).json == TOO_LARGE


HALVES = [
    ("application/json", good_body()[:50]),
    ("multipart/form-data; boundary=edge", form_body([("image", SMALL)])[:200]),
]


@pytest.mark.rules("EDIT-HTTP-024")
@pytest.mark.parametrize(("content_type", "half"), HALVES)
def test_a_body_that_stops_arriving_is_given_up_and_the_connection_closed(
    make_client: MakeClient, content_type: str, half: bytes
) -> None:
    client = make_client(body_timeout=0.05)
    reply = Feed([half]).to(client).send(content_type=content_type)
    assert reply.status == 400
    assert reply.json == {"error": "The request body was not received in time"}
    assert reply.headers["connection"] == "close"
    account = account_of(client, KEY)
    assert (account.balance, account.held) == (Decimal(100), Decimal(0))
    assert server_of(client).workshop.budget.used == 0


@pytest.mark.rules("EDIT-HTTP-024")
def test_a_slow_client_is_answered_and_cut_off_on_a_real_connection(make_client: MakeClient) -> None:
    lines = [f"POST {EDIT} HTTP/1.1", "Host: x", f"Authorization: Bearer {KEY}"]
    lines += ["Content-Type: application/json", "Content-Length: 5000", "", '{"image']
    answer = wire(make_client(body_timeout=0.05), "\r\n".join(lines).encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"error":"The request body was not received in time"}')


@pytest.mark.rules("EDIT-HTTP-025")
@pytest.mark.parametrize(("content_type", "half"), HALVES)
def test_a_client_that_leaves_during_the_upload_costs_nothing_and_leaves_no_trace(
    client: Client, content_type: str, half: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert Feed([half], "leaving").to(client).send(content_type=content_type).status == 499
    account = account_of(client, KEY)
    assert (account.balance, account.held) == (Decimal(100), Decimal(0))
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING]


@pytest.mark.rules("EDIT-HTTP-025", "EDIT-RATE-008")
def test_a_client_that_leaves_during_the_work_is_charged_nothing_and_its_places_come_back(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(engine="fast", balance=Decimal("0.04"))
    begun, finish = threading.Event(), threading.Event()
    paint = making.make_picture

    def slowly(*args: Any) -> bytes:
        begun.set()
        assert finish.wait(PATIENCE_S)
        return paint(*args)

    monkeypatch.setattr(endpoint, "make_picture", slowly)
    server = server_of(client)

    async def leave_halfway() -> Reply:
        leave = asyncio.Event()
        headers = [("content-type", "application/json"), ("authorization", f"Bearer {KEY}")]
        asking = asyncio.create_task(request(client.app, "POST", EDIT, headers, [good_body()], leave=leave))
        assert await asyncio.to_thread(begun.wait, PATIENCE_S)
        account = await server.session.store.account(account_id(KEY))
        assert account.held == Decimal("0.04")  # or the test would show nothing
        assert server.workshop.budget.used > 0
        leave.set()
        reply = await asking
        finish.set()
        async with asyncio.timeout(PATIENCE_S):
            while server.workshop.budget.used:  # noqa: ASYNC110 - given back by a thread
                await asyncio.sleep(0.001)
        return reply

    assert client.runner.run(leave_halfway()).status == 499
    account = account_of(client, KEY)
    assert (account.balance, account.held) == (Decimal("0.04"), Decimal(0))
    assert ledger_of(client, KEY) == []
    assert not [record for record in caplog.records if record.exc_info]
    assert client.edit(**good()).status == 200  # the last 4 cents are there to be spent


@pytest.mark.rules("EDIT-RATE-008")
def test_failures_give_their_pixels_back_so_that_a_full_load_still_passes(make_client: MakeClient) -> None:
    # One at a time, and each made anew: any leak blocks the next.
    client = make_client(engine="fast", max_inflight_pixels=1, cache_bytes=0)
    for _ in range(5):
        assert client.edit(**good(image=text_of(png(broken=True)))).status == 400
        assert client.edit(**good(prompt="")).status == 400

    async def load() -> list[Reply]:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.gather(*(client.sending(good_body()) for _ in range(6)))

    assert [reply.status for reply in client.runner.run(load())] == [200] * 6
    assert server_of(client).workshop.budget.used == 0
    assert account_of(client, KEY).held == 0


# --- what holds for every answer -----------------------------------------------------------------------------

DOCUMENTED = {200, 400, 401, 402, 415, 429, 500, 503}
FROM_THE_GENERAL_TABLE = {403, 404, 413, 422, 504}


def hostile_requests() -> list[dict[str, Any]]:
    """Arguments of ``Client.send``: every way to go wrong that is cheap to send."""
    form = "multipart/form-data; boundary=edge"
    bodies: list[bytes] = [
        b"", b"\0", b"{", b"null", b"[[[[", b'{"a":' * 500, b"{}", b'{"image":5}', b'{"":""}',
        b'{"prompt":"\\ud800","image":"x"}', b'{"prompt":"\\u0000","image":"x"}', b'{"prompt":1e999,"image":"x"}',
        b'{"prompt":' + b"9" * 5000 + b',"image":"x"}', b'{"__proto__":{},"image":"x","prompt":"x"}',
    ]  # fmt: skip
    pictures = [
        b"", b"\x89PNG\r\n\x1a\n", b"<html></html>", b"<svg xmlns='x'/>", b"GIF89a", b"BM", b"II*\0", b"RIFF",
        SMALL[:40], SMALL[:-20], png(1, 1), png(255, 257), png(broken=True), png()[:24] + b"\xff" * 9,
    ]  # fmt: skip
    bodies += [good_body(image=text_of(picture)) for picture in pictures]
    odd = [
        "http://",
        "https://[",
        "http://\0",
        "data:,",
        "data:image/png;base64,!",
        "====",
        "\u202e",
        "http://x:99999/",
    ]
    bodies += [good_body(image=text) for text in odd]
    bodies += [good_body(**{name: "\ud83d\ude00"}) for name in ("prompt", "model", "resolution", "quality")]
    bodies += [good_body(model="nope"), good_body(resolution="8K"), good_body(prompt="x" * 33000)]
    sent: list[dict[str, Any]] = [{"body": body} for body in bodies]
    sent += [{"body": body, "content_type": form} for body in bodies[:8]]
    sent += [
        {"body": form_body([("image", picture), ("prompt", "x")]), "content_type": form}
        for picture in pictures
    ]
    sent += [
        {"body": good_body(), "content_type": kind} for kind in (None, "", "text/plain", "x/y; z", form[:19])
    ]
    sent += [
        {"body": good_body(), "key": key}
        for key in (None, "mock_invalid_key", "mock_disabled", "mock_nope", " ")
    ]
    sent += [{"body": good_body(), "key": key} for key in ("mock_insufficient_balance", "mock_spend_limit")]
    sent += [
        {"body": good_body(), "headers": {name: "x"}} for name in ("X-PAYMENT", "SIGN-IN-WITH-X", "Expect")
    ]
    sent += [
        {"body": good_body(), "headers": {"Content-Length": text}}
        for text in ("-1", "x", "9" * 40, "40000000")
    ]
    return sent


@pytest.mark.rules("EDIT-HTTP-015", "EDIT-HTTP-016", "EDIT-HTTP-017", "EDIT-ERR-001")
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_hostile_requests_meet_documented_refusals_in_json_and_never_a_5xx(
    make_client: MakeClient, behavior: str
) -> None:
    client = make_client(engine="fast", behavior=behavior, fetch=("none",))
    met = set()
    for arguments in hostile_requests():
        reply = client.send(**arguments)
        met.add(reply.status)
        assert reply.status < 500, arguments
        assert reply.status in DOCUMENTED | FROM_THE_GENERAL_TABLE, arguments
        if reply.status != 200:
            assert isinstance(reply.json["error"], str), arguments
            assert len(reply.body) < 4000, arguments
    assert met >= {200, 400, 401, 402, 403, 404, 413}


def test_a_defect_of_the_server_is_the_vendors_500_in_json(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> bytes:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(endpoint, "make_picture", broken)
    crashes = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await client.app(scope, receive, send)
        except ZeroDivisionError as crash:  # passed on for the server's log, after the answer was sent
            crashes.append(crash)

    reply = Client(app, runner=client.runner).send(good_body())
    assert reply.status == 500
    assert reply.json == {"error": "An unknown error occurred"}
    assert reply.headers["x-venice-version"] == "20260619.153236"
    assert "x-venice-timestamp" in reply.headers
    assert len(crashes) == 1
    account = account_of(client, KEY)
    assert (account.balance, account.held) == (Decimal(100), Decimal(0))
