"""GET /__mock/ledger/verdict: attempts at one logical request, and whether anybody paid for two of them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from edits import b64, flat_png
from journals import VERDICT
from rulekit import SMALL, Clock, good
from sessions import RESET, opened, refused
from wallets import advance, control


def verdict(client: Client, query: str = "") -> dict[str, Any]:
    told: dict[str, Any] = client.get(VERDICT + query).json
    return told


def verdicts(client: Client) -> list[tuple[str, int]]:
    """What is said of each logical request, the oldest first, and how often it was tried."""
    return [(each["verdict"], len(each["attempts"])) for each in verdict(client)["logical_requests"][::-1]]


@pytest.fixture
def wall() -> Clock:
    return Clock()


@pytest.fixture
def frozen(make_client: MakeClient, wall: Clock) -> Client:
    return make_client(wall, engine="fast")


def test_two_different_edits_are_two_requests_and_nobody_paid_twice(frozen: Client) -> None:
    frozen.edit(**good(prompt="one"))
    frozen.edit(**good(prompt="two"))
    assert verdict(frozen)["ok"] is True
    assert verdicts(frozen) == [("charged_once", 1), ("charged_once", 1)]


def test_a_client_that_pays_twice_for_the_same_edit_is_found(frozen: Client) -> None:
    for _ in range(3):
        assert frozen.edit(**good()).status == 200
    told = verdict(frozen)
    assert (told["ok"], told["charged_more_than_once"], told["overcharged_usd"]) == (False, 1, "0.080000")
    (only,) = told["logical_requests"]
    assert (only["verdict"], only["charges"], only["charged_usd"]) == (
        "charged_more_than_once",
        3,
        "0.120000",
    )
    assert [attempt["id"] for attempt in only["attempts"]] == ["req-000001", "req-000002", "req-000003"]
    ledger = frozen.get("/__mock/accounts/a-test-key/ledger").json["entries"]
    assert [attempt["charge"] for attempt in only["attempts"]] == [row["request_id"] for row in ledger][::-1]


def test_a_retry_after_a_failure_pays_once(frozen: Client) -> None:
    for status in (500, 500, 200):
        assert frozen.edit(key="mock_flaky_3", **good()).status == status
    told = verdict(frozen)
    assert (told["ok"], verdicts(frozen)) == (True, [("charged_once", 3)])
    assert [a["status"] for a in told["logical_requests"][0]["attempts"]] == [500, 500, 200]


def test_a_refusal_that_came_before_the_picture_was_read_is_an_attempt_too(frozen: Client) -> None:
    assert frozen.edit(headers={"X-Mock": "error=rate_limited"}, **good()).status == 429
    assert frozen.edit(**good()).status == 200
    assert verdicts(frozen) == [("charged_once", 2)]


def test_the_framing_of_the_body_does_not_matter(frozen: Client) -> None:
    parts: list[tuple[str, bytes | str]] = [("prompt", "x"), ("image", SMALL)]
    frozen.form(parts, boundary="one")
    frozen.form(parts[::-1], boundary="another")
    assert verdicts(frozen) == [("charged_more_than_once", 2)]


@pytest.mark.parametrize(
    "other", [{"prompt": "y"}, {"safe_mode": False}, {"image": "picture"}, {"key": "k2"}]
)
def test_another_prompt_option_picture_or_caller_is_another_request(
    frozen: Client, other: dict[str, Any]
) -> None:
    fields: dict[str, Any] = good()
    frozen.edit(**fields)
    if "image" in other:
        other = {"image": b64(flat_png(300, 300))}
    frozen.edit(**{**fields, **other})
    assert verdicts(frozen) == [("charged_once", 1), ("charged_once", 1)]


@pytest.mark.parametrize(("pause", "same"), [(0, True), (30, True), (31, False)])
def test_what_comes_within_thirty_seconds_is_a_retry(
    frozen: Client, wall: Clock, pause: float, same: bool
) -> None:
    frozen.edit(**good())
    wall.now += pause
    frozen.edit(**good())
    assert verdict(frozen)["ok"] is not same


@pytest.mark.parametrize("seconds", [31, 86_400])
def test_a_test_that_moves_the_clock_on_still_sees_that_its_client_paid_twice(
    frozen: Client, seconds: float
) -> None:
    control(frozen, "POST", "/__mock/rules", then={"fault": "charge_then_504"}, times=2)
    assert frozen.edit(**good()).status == 504
    advance(frozen, seconds)  # instead of waiting
    assert frozen.edit(**good()).status == 504
    assert (verdict(frozen)["ok"], verdicts(frozen)) == (False, [("charged_more_than_once", 2)])


def test_a_clock_that_stands_keeps_retries_together_however_long_they_really_take(
    frozen: Client, wall: Clock
) -> None:
    control(frozen, "PUT", "/__mock/clock", frozen_at="2026-09-01T12:00:00Z")
    for _ in range(2):
        frozen.edit(**good())
        wall.now += 3600
    assert verdict(frozen)["ok"] is False


def test_another_window_can_be_asked_for(frozen: Client, wall: Clock) -> None:
    for _ in range(2):
        frozen.edit(**good())
        wall.now += 31
    assert [verdict(frozen, query)["ok"] for query in ("", "?window_s=30", "?window_s=31")] == [
        True,
        True,
        False,
    ]
    assert verdict(frozen, "?window_s=600")["window_s"] == 600


@pytest.mark.parametrize("query", ["window=60", "window_s=", "window_s=-1", "window_s=1e9", "window_s=x"])
def test_a_window_that_cannot_be_understood_is_a_400(frozen: Client, query: str) -> None:
    assert "window_s" in refused(frozen.get(f"{VERDICT}?{query}"))


def test_retries_that_wait_longer_and_longer_belong_together(frozen: Client, wall: Clock) -> None:
    for pause in (1, 10, 25, 30):
        frozen.edit(key="mock_edit_error", **good())
        wall.now += pause
    assert verdict(frozen)["logical_requests"][0]["verdict"] == "not_charged"
    assert verdicts(frozen) == [("not_charged", 4)]


def test_one_failure_alone_and_requests_without_a_body_are_not_worth_a_word(frozen: Client) -> None:
    frozen.edit(**good(resolution="9K"))
    frozen.get("/api/v1/models")
    frozen.get("/api/v1/models")
    assert verdicts(frozen) == []


def test_a_reset_of_the_accounts_takes_back_what_was_charged(frozen: Client) -> None:
    frozen.edit(**good())
    frozen.edit(**good())
    control(frozen, "POST", RESET, only=["accounts"])
    assert (verdict(frozen)["ok"], verdicts(frozen)) == (True, [])
    frozen.edit(**good())
    assert verdicts(frozen) == [("charged_once", 1)]


def test_a_verdict_without_all_stories_says_so(make_client: MakeClient) -> None:
    client = make_client(Clock(), engine="fast", journal_bytes=40_000)
    client.edit(**good())
    assert verdict(client)["complete"] is True
    for _ in range(10):
        client.edit(**good())
    assert verdict(client)["complete"] is False


def test_sessions_have_verdicts_of_their_own(frozen: Client) -> None:
    one = opened(frozen, "one")
    one.edit(**good())
    frozen.edit(**good())
    assert verdict(one)["ok"] is verdict(frozen)["ok"] is True


@pytest.mark.parametrize(
    ("fault", "ok"),
    [("charge_then_reset", False), ("charge_then_504", False), ("reset_before_charge", True)],
)
def test_what_a_client_pays_that_retries_a_lost_answer_is_told(frozen: Client, fault: str, ok: bool) -> None:
    with contextlib.suppress(ConnectionResetError):
        assert frozen.edit(headers={"X-Mock": f"fault={fault}"}, **good()).status == 504
    assert frozen.edit(**good()).status == 200
    told = verdict(frozen)
    assert (told["ok"], told["overcharged_usd"]) == (ok, "0.000000" if ok else "0.040000")
    first, second = told["logical_requests"][0]["attempts"]
    assert (first["fault"], first["charged_usd"]) == (fault, None if ok else "0.040000")
    assert (second["fault"], second["charged_usd"]) == (None, "0.040000")
