"""Faults to order on real connections: resets are resets, cuts are cuts, and what they cost."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from threading import Thread
from typing import Any, get_args

import httpx
import pytest
from PIL import Image

from conftest import MakeClient
from edits import b64
from faulting import Heard, heard, paid, told
from live import running
from pictures import saved
from rulekit import good, good_body, ledger_of
from venice_mock.accounts.faults import FAULTS, HALF, Fault, FaultKind, read_fault
from venice_mock.web.faulting import AnswerLost

PRICE = Decimal("0.04")
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running("--engine", "fast", "--seed", "1") as address:
        yield address


@pytest.fixture
def key() -> str:
    return f"a-key-for-faults-{next(_NUMBERS)}"


def edit(origin: str, key: str, fault: str, **more: Any) -> Heard:
    return heard(origin, key=key, order=f"fault={fault}", **more)


def entry_of(origin: str) -> dict[str, Any]:
    """The latest request in the journal."""
    latest: dict[str, Any] = told(origin, "GET", "/__mock/requests?limit=1")["requests"][0]
    return latest


def test_reading_a_fault() -> None:
    assert set(FAULTS) == set(get_args(FaultKind))
    assert read_fault(" Reset ") == Fault("reset", "reset")
    assert read_fault("reset@headers").after == read_fault("reset@body:0").after == 0
    assert read_fault("RESET @ body:1024") == Fault("reset", "reset@body:1024", 1024)
    assert read_fault("cut").after == read_fault("cut@body").after == read_fault("stall@body").after == HALF
    assert read_fault("corrupt").after == 16
    assert read_fault("slow@500ms").seconds == 0.5
    assert read_fault("wrong_media_type@text/plain").media_type == "text/plain"
    for text in (
        "",
        "rest",
        "reset@",
        "reset@body:-1",
        "reset@body:x",
        "slow@body",
        "charge_then_504@x",
        "cut@٣",
    ):
        with pytest.raises(ValueError, match=r"known|Known|expected|takes nothing"):
            read_fault(text)


def test_every_example_of_the_table_can_be_read() -> None:
    for kind, row in FAULTS.items():
        assert read_fault(kind).kind == kind
        assert row.example is None or read_fault(row.example).kind == kind


def test_a_reset_is_a_real_one_and_nothing_of_the_answer_comes(origin: str, key: str) -> None:
    got = edit(origin, key, "reset")
    assert (got.end, got.status, got.body) == ("reset", 0, b"")
    assert paid(origin, key) == [PRICE]
    story = entry_of(origin)
    assert (story["status"], story["fault"]) == (None, "reset")


def test_a_reset_can_come_after_the_headers(origin: str, key: str) -> None:
    got = edit(origin, key, "reset@headers")
    assert (got.end, got.status, got.body) == ("reset", 200, b"")
    assert got.promised > 0


@pytest.mark.parametrize("size", [1, 1000])
def test_a_reset_comes_after_just_so_many_bytes(origin: str, key: str, size: int) -> None:
    got = edit(origin, key, f"reset@body:{size}")
    assert (got.end, got.status, len(got.body)) == ("reset", 200, size)
    assert got.promised > size
    assert got.headers["x-mock-cause"] == f"header:fault=reset@body:{size}"
    assert paid(origin, key) == [PRICE]


def test_many_bytes_arrive_whole_before_the_reset() -> None:
    noise = Image.effect_noise((1024, 1024), 90)  # which no format makes small
    body = good_body(image=b64(saved(noise, "PNG")))
    with running() as origin:
        got = edit(origin, "mock_ok", "reset@body:500000", body=body)
    assert (got.end, len(got.body)) == ("reset", 500_000)


def test_a_cut_body_is_shorter_than_was_promised_and_ends_without_a_reset(origin: str, key: str) -> None:
    for fault in ("cut", "cut@body", "cut@body:1000", "cut@headers"):
        got = edit(origin, key, fault)
        sizes = {"cut@body:1000": 1000, "cut@headers": 0}
        assert (got.end, got.status, len(got.body)) == ("closed", 200, sizes.get(fault, got.promised // 2))
    assert paid(origin, key) == [PRICE] * 4


def test_an_answer_that_is_not_longer_than_the_point_is_whole(origin: str, key: str) -> None:
    for fault in ("reset@body:99999999", "cut@body:99999999"):
        got = edit(origin, key, fault)
        assert (got.end, len(got.body)) == ("complete", got.promised)


def test_a_stalled_answer_is_silent_until_the_client_gives_up(origin: str, key: str) -> None:
    for fault, status in (("stall", 0), ("stall@headers", 200), ("stall@body:10", 200)):
        got = edit(origin, key, fault, patience=0.5)
        assert (got.end, got.status, len(got.body)) == ("silent", status, 10 if fault.endswith("10") else 0)
    assert paid(origin, key) == [PRICE] * 3
    assert heard(origin, key=key).end == "complete"  # the server is none the worse for it


def test_a_stalled_answer_is_in_the_journal_while_the_client_waits(origin: str, key: str) -> None:
    waiting = Thread(target=edit, args=(origin, key, "stall"), kwargs={"patience": 3.0})
    waiting.start()
    while not paid(origin, key):
        pass
    while (story := entry_of(origin))["fault"] != "stall":
        pass
    assert waiting.is_alive()
    assert (story["status"], story["cost_usd"]) == (None, "0.040000")
    waiting.join()


def test_a_slow_body_comes_whole_and_in_pieces(origin: str, key: str) -> None:
    plain = heard(origin, key=key)
    began = time.perf_counter()
    slow = edit(origin, key, "slow@300ms")
    assert time.perf_counter() - began >= 0.3
    assert (slow.end, slow.body) == ("complete", plain.body)
    assert slow.pieces >= 10


def test_a_corrupt_picture_has_its_length_and_its_beginning_and_cannot_be_read(origin: str, key: str) -> None:
    for output_format in ("png", "jpeg", "webp"):
        body = good_body(output_format=output_format)
        plain, spoilt = heard(origin, key=key, body=body), edit(origin, key, "corrupt", body=body)
        assert (spoilt.end, len(spoilt.body)) == ("complete", len(plain.body))
        assert spoilt.body == plain.body[:16] + bytes(len(plain.body) - 16)
        assert spoilt.headers["content-type"] == plain.headers["content-type"]
        with pytest.raises((OSError, SyntaxError)):
            Image.open(io.BytesIO(spoilt.body)).load()
    later = edit(origin, key, "corrupt@body:200")
    assert later.body[:200].strip(b"\0")
    assert not later.body[200:].strip(b"\0")


def test_a_wrong_media_type_is_told_once_and_the_body_is_as_usual(origin: str, key: str) -> None:
    plain = heard(origin, key=key)
    for fault, media_type in (
        ("wrong_media_type", "text/html"),
        ("wrong_media_type@text/plain", "text/plain"),
    ):
        got = edit(origin, key, fault)
        assert (got.headers["content-type"], got.body) == (media_type, plain.body)


def test_refusals_are_spoilt_as_well_and_say_by_whom(origin: str, key: str) -> None:
    bad = good_body(prompt="")
    assert edit(origin, key, "reset", body=bad).end == "reset"
    got = edit(origin, key, "cut@body:20", body=bad)
    assert (got.end, got.status, len(got.body)) == ("closed", 400, 20)
    assert got.headers["x-mock-cause"] == "header:fault=cut@body:20"
    assert edit(origin, "mock_invalid_key", "reset").end == "reset"
    assert edit(origin, "mock_insufficient_balance", "wrong_media_type").headers["x-mock-cause"] == (
        "key:mock_insufficient_balance, header:fault=wrong_media_type"
    )
    assert paid(origin, key) == []


def test_an_ordered_error_can_be_spoilt_too(origin: str, key: str) -> None:
    got = heard(origin, key=key, order="error=offline; fault=cut@body:5")
    assert (got.end, got.status, len(got.body)) == ("closed", 503, 5)


@pytest.mark.parametrize(
    ("fault", "end", "status", "charges"),
    [
        ("charge_then_reset", "reset", 0, 1),
        ("charge_then_504", "complete", 504, 1),
        ("reset_before_charge", "reset", 0, 0),
    ],
)
def test_faults_around_the_charge(
    origin: str, key: str, fault: str, end: str, status: int, charges: int
) -> None:
    got = edit(origin, key, fault)
    assert (got.end, got.status) == (end, status)
    assert paid(origin, key) == [PRICE] * charges
    story = entry_of(origin)
    assert (story["status"], story["fault"]) == (status or None, fault)
    assert edit(origin, key, fault, body=good_body(prompt="")).status == 400  # refusals are sent as usual
    account = told(origin, "GET", f"/__mock/accounts/{key}")
    assert account["held_usd"] == "0.000000"


def test_a_504_after_the_charge_is_the_vendors_and_tells_the_balance(origin: str, key: str) -> None:
    got, plain = edit(origin, key, "charge_then_504"), heard(origin, key=key, order="error=timeout")
    assert got.body == plain.body
    assert got.headers["x-mock-cause"] == "header:fault=charge_then_504"
    assert got.headers["x-venice-balance-usd"] == "99.96"


def test_every_fault_has_a_key(origin: str) -> None:
    ends = {
        "stall": "silent", "reset": "reset", "cut": "closed", "charge_then_reset": "reset",
        "reset_before_charge": "reset",
    }  # fmt: skip
    for kind in FAULTS:
        got = heard(origin, key=f"mock_{kind}", patience=0.5 if kind == "stall" else 30)
        assert got.end == ends.get(kind, "complete"), kind


def test_a_broken_connection_leaves_nothing_in_the_log() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--engine", "fast"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        origin = json.loads(server.stdout.readline())["base_url"].removesuffix("/api/v1")
        for fault in ("reset", "reset@body:9", "cut", "charge_then_reset", "reset_before_charge"):
            edit(origin, "mock_ok", fault)
        server.terminate()
        log = server.stderr.read()
    assert "Traceback" not in log
    assert "ASGI" not in log
    assert log.count("no answer") == 3
    assert server.returncode == 0


# --- in process ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["reset", "reset@headers", "reset@body:5", "cut", "charge_then_reset", "reset_before_charge"]
)
def test_in_process_a_lost_answer_is_a_connection_reset_error(make_client: MakeClient, fault: str) -> None:
    client = make_client(engine="fast")
    with pytest.raises(AnswerLost, match=fault) as caught:
        client.edit(headers={"X-Mock": f"fault={fault}"}, **good())
    assert isinstance(caught.value, ConnectionResetError)
    assert len(ledger_of(client, "a-test-key")) == (0 if fault == "reset_before_charge" else 1)


def test_httpx_in_process_sees_the_loss(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    app: Any = client.app

    async def ask() -> int:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8402") as http:
            with pytest.raises(ConnectionResetError):
                await http.post(
                    "/api/v1/image/edit", json=good(), headers={"Authorization": "Bearer mock_reset"}
                )
            reply = await http.post(
                "/api/v1/image/edit", json=good(), headers={"Authorization": "Bearer mock_ok"}
            )
            return reply.status_code

    assert client.runner.run(ask()) == 200


def test_only_edits_are_spoilt(make_client: MakeClient) -> None:
    client = make_client()
    reply = client.send(
        method="GET", path="/api/v1/billing/balance", key="mock_reset", headers={"X-Mock": "fault=reset"}
    )
    assert reply.status == 200
