"""Errors, pauses and pictures to order: by magic key, by the header X-Mock, by Prefer."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply, request
from conftest import MakeClient
from edits import says
from rulekit import (
    EDIT,
    Clock,
    account_of,
    good,
    good_body,
    ledger_of,
    png,
    server_of,
    text_of,
    until_held,
)
from venice_mock.accounts.faults import FAULTS
from venice_mock.accounts.keys import account_id, magic_keys
from venice_mock.accounts.steering import Steering, stage_of
from venice_mock.app import create_app
from venice_mock.contract import Behavior, Contract, available_editions, load_contract
from venice_mock.control.steering import steering_of, steering_table, usual_error
from venice_mock.errors import ApiError
from venice_mock.settings import Settings
from venice_mock.settings_types import Latency
from wallets import control, purse_of

KEY = "a-test-key"
HOME = load_contract("2026-06-19")
ERRORS = tuple(HOME.edition.errors)
BEHAVIORS: tuple[Behavior, ...] = ("documented", "observed")
FAULT_KEYS = {
    "mock_rate_limited": (429, "Rate limit exceeded"),
    "mock_overloaded": (429, "The model is currently overloaded. Please try again later."),
    "mock_at_capacity": (503, "The model is at capacity. Please try again later."),
    "mock_offline": (503, "The model is temporarily offline. Please try again later."),
    "mock_edit_error": (500, "Image edit failed"),
    "mock_timeout": (504, "The request took too long to complete and was timed-out."),
    "mock_flaky_2": (500, "Image edit failed"),
}
STAGES = (
    "media_type", "no credentials", "payment_header", "credentials", "rate", "body", "schema", "model", "own rules",
    "image", "policy", "balance", "work",
)  # fmt: skip


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client(engine="fast", wall_clock=Clock())


def ordered(client: Client, order: str, key: str | None = KEY, **fields: Any) -> Reply:
    """A good edit with this ``X-Mock``."""
    return client.edit(key=key, headers={"X-Mock": order}, **good(**fields))


def body_of(contract: Contract, name: str) -> dict[str, Any]:
    """The body that the table of errors promises."""
    spec = contract.error(name)
    budget = contract.way("error-budget")
    text = spec.text.format(**budget) if name == "ERROR_BUDGET" else spec.text
    return {"error": text} if spec.code is None else {"code": spec.code, "error": text}


def is_free(client: Client, key: str = KEY) -> None:
    account = account_of(client, key)
    assert (account.balance, account.held, account.spent) == (Decimal(100), Decimal(0), Decimal(0))
    assert ledger_of(client, key) == []


# --- keys ------------------------------------------------------------------------------------------------------


@pytest.mark.rules("MOCK-KEY-010", "EDIT-ERR-004", "EDIT-PAY-041", "EDIT-RATE-004")
@pytest.mark.parametrize("key", FAULT_KEYS)
def test_a_fault_key_gives_the_error_it_names_and_costs_nothing(client: Client, key: str) -> None:
    status, text = FAULT_KEYS[key]
    reply = client.edit(key=key, **good())
    says(reply, status, {"error": text})
    assert reply.headers["x-mock-cause"] == f"key:{key}"
    assert "x-mock-rule" not in reply.headers
    assert reply.headers["x-venice-balance-usd"] == "100"
    waits = {"mock_rate_limited": "60", "mock_overloaded": "30"}
    assert reply.headers.get("retry-after") == waits.get(key)
    is_free(client, key)


@pytest.mark.rules("MOCK-KEY-010", "EDIT-RATE-004")
def test_every_fault_key_of_the_table_is_among_those_above() -> None:
    others = {"ok", "insufficient_balance", "spend_limit", "invalid_key", "inactive", "disabled", "balance_X"}
    others |= set(FAULTS)  # which spoil answers
    known = {name.replace("_N", "_2") for name in magic_keys()}
    assert known == set(FAULT_KEYS) | {"mock_" + name for name in others}


@pytest.mark.rules("MOCK-KEY-010")
@pytest.mark.parametrize("key", FAULT_KEYS)
def test_a_429_comes_before_the_body_is_judged_and_a_5xx_after(client: Client, key: str) -> None:
    status, text = FAULT_KEYS[key]
    for body in (b"{", b"{}", good_body(model="nope"), good_body(image="?"), good_body(prompt="plain gore")):
        reply = client.send(body, key=key)
        if status == 429:
            says(reply, 429, {"error": text})
        else:
            assert 400 <= reply.status < 429
            assert "x-mock-cause" not in reply.headers
    is_free(client, key)


@pytest.mark.rules("MOCK-KEY-010", "EDIT-RATE-001")
def test_a_rate_limited_caller_who_waits_as_long_as_told_is_served(make_client: MakeClient) -> None:
    clock = Clock(1_800_000_000.25)
    client = make_client(engine="fast", wall_clock=clock)

    def edit() -> Reply:
        return client.edit(key="mock_rate_limited", **good())

    def waits(seconds: int) -> None:
        reply = edit()
        assert (reply.status, reply.headers["retry-after"]) == (429, str(seconds))
        assert reply.headers["x-ratelimit-remaining-requests"] == "0"
        assert reply.headers["x-ratelimit-reset-requests"] == "1800000061"

    waits(60)
    clock.now += 20.5
    waits(40)
    clock.now += 39.25
    waits(1)
    clock.now += 0.25
    for _ in range(2):
        served = edit()
        assert (served.status, served.headers["x-mock-cause"]) == (200, "key:mock_rate_limited")
    clock.now += 10
    assert edit().headers["retry-after"] == "60"  # for the next test of whoever uses the same server


@pytest.mark.rules("MOCK-KEY-010", "EDIT-RATE-001")
def test_advancing_the_clock_ends_a_429(client: Client) -> None:
    wait = int(client.edit(key="mock_rate_limited", **good()).headers["retry-after"])
    assert control(client, "POST", "/__mock/clock/advance", seconds=wait).status == 200
    assert client.edit(key="mock_rate_limited", **good()).status == 200


@pytest.mark.rules("MOCK-KEY-010", "EDIT-PAY-041")
def test_a_flaky_key_fails_all_but_the_last_and_then_works_for_good(client: Client) -> None:
    replies = [client.edit(key="mock_flaky_3", **good()) for _ in range(5)]
    assert [reply.status for reply in replies] == [500, 500, 200, 200, 200]
    assert {reply.headers["x-mock-cause"] for reply in replies} == {"key:mock_flaky_3"}
    assert len(ledger_of(client, "mock_flaky_3")) == 3
    assert client.edit(key="mock_flaky_2", **good()).status == 500  # which counts for itself
    assert client.edit(key="mock_flaky_1", **good()).status == 200


def test_what_is_refused_anyway_does_not_use_up_a_failure(client: Client) -> None:
    assert client.edit(key="mock_flaky_2", prompt="no image").status == 400
    assert [client.edit(key="mock_flaky_2", **good()).status for _ in range(2)] == [500, 200]


@pytest.mark.rules("MOCK-KEY-010")
def test_of_many_edits_at_once_exactly_so_many_fail(client: Client) -> None:
    async def storm() -> list[int]:
        edits = (client.sending(good_body(), key="mock_flaky_8") for _ in range(20))
        return [reply.status for reply in await asyncio.gather(*edits)]

    statuses = client.runner.run(storm())
    assert (statuses.count(500), statuses.count(200)) == (7, 13)
    assert account_of(client, "mock_flaky_8").balance == 100 - 13 * Decimal("0.04")


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "1e3", "03", "10000", "1.5", "٣"])
def test_a_flaky_key_without_a_sensible_number_is_no_key(client: Client, number: str) -> None:
    token = f"mock_flaky_{number}".encode().decode("latin-1")
    reply = client.edit(key=token, **good())
    assert reply.status == 401
    assert "mock_flaky_3" in reply.headers["x-mock-hint"]


def test_a_key_that_orders_nothing_is_no_cause(client: Client) -> None:
    for key in ("mock_ok", "mock_balance_5"):
        assert "x-mock-cause" not in client.edit(key=key, **good()).headers
        assert "x-mock-cause" not in client.edit(key=key, **good(prompt="")).headers


def test_only_edits_are_steered(client: Client) -> None:
    headers = {"X-Mock": "error=timeout"}
    reply = client.send(method="GET", path="/api/v1/billing/balance", key="mock_timeout", headers=headers)
    assert reply.status == 200


# --- the header: each error at its stage -------------------------------------------------------------------------


@pytest.mark.rules("EDIT-ERR-004", "EDIT-ERR-015", "EDIT-PAY-041", "EDIT-RATE-004")
@pytest.mark.parametrize("behavior", ["documented", "observed"])
@pytest.mark.parametrize("name", [name for name in ERRORS if name != "INVALID_REQUEST"])
def test_every_error_can_be_ordered_by_its_name(make_client: MakeClient, behavior: Any, name: str) -> None:
    client = make_client(engine="fast", behavior=behavior)
    contract = server_of(client).contract
    assert client.edit(**good(prompt="")).status == 400  # opens the account
    for written in (name, name.lower(), name.title()):
        reply = ordered(client, f"error={written}")
        says(reply, contract.error(name).status, body_of(contract, name))
        assert reply.headers["x-mock-cause"] == f"header:error={name.lower()}"
    is_free(client)


@pytest.mark.rules("EDIT-ERR-015")
def test_an_ordered_validation_error_has_the_shape_of_one(client: Client) -> None:
    reply = ordered(client, "error=invalid_request")
    assert (reply.status, reply.json["error"]) == (400, "Invalid request parameters")
    assert [issue["code"] for issue in reply.json["issues"]] == ["custom"]
    assert reply.json["details"]["_errors"] == [reply.json["issues"][0]["message"]]


def spoil(stage: str) -> dict[str, Any]:
    """A request that is refused at this stage, as arguments of ``Client.send``."""
    spoilt: dict[str, dict[str, Any]] = {
        "media_type": {"content_type": "text/plain"},
        "no credentials": {"key": None},
        "payment_header": {"headers": {"X-PAYMENT": "e30="}},
        "credentials": {"key": "mock_invalid_key"},
        "body": {"body": b"{"},
        "schema": {"body": good_body(n=1)},
        "model": {"body": good_body(model="nope")},
        "own rules": {"body": good_body(resolution="4K")},
        "image": {"body": good_body(image=text_of(png(9, 9)))},
        "policy": {"body": good_body(prompt="plain gore")},
        "balance": {"key": "mock_insufficient_balance"},
        "work": {"body": good_body(image=text_of(png(broken=True)))},
    }
    return spoilt[stage]


@pytest.mark.rules("EDIT-PAY-022")
@pytest.mark.parametrize("natural", [stage for stage in STAGES if stage != "rate"])
def test_an_ordered_error_stands_at_its_stage(client: Client, contract: Contract, natural: str) -> None:
    given = {"body": good_body(), **spoil(natural)}
    plain = client.send(**given)
    for name in ERRORS:
        headers = {**given.get("headers", {}), "X-Mock": f"error={name}"}
        reply = client.send(**{**given, "headers": headers})
        stage = stage_of(contract, name)
        first = STAGES.index(stage) <= STAGES.index(natural)
        if stage == natural == "policy":
            first = False  # the picture and the prompt are judged in one step; the answers are the same
        cause = f"header:error={name.lower()}"
        assert (reply.headers.get("x-mock-cause") == cause) == first, (name, reply.status)
        if not first and natural != "no credentials":  # which has a fresh nonce each time
            assert (reply.status, reply.body) == (plain.status, plain.body)


def test_every_row_of_every_editions_table_has_a_stage(contract: Contract) -> None:
    for edition in available_editions():
        for behavior in BEHAVIORS:
            other = load_contract(edition, behavior)
            for name in other.edition.errors:
                assert stage_of(other, name) in STAGES
            assert {row.status for row in steering_table(other) if row.kind == "prefer"} == set(USUAL)
    with pytest.raises(KeyError):
        stage_of(contract, "NONE_SUCH")


# --- the header: the other items ---------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-RATE-004")
@pytest.mark.parametrize("name", ["rate_limited", "overloaded", "error_budget", "at_capacity", "edit_error"])
def test_retry_after_is_what_was_ordered(client: Client, name: str) -> None:
    reply = ordered(client, f"error={name}; retry_after=2")
    assert reply.headers["retry-after"] == "2"
    assert reply.headers["x-mock-cause"] == f"header:error={name}; retry_after=2"
    if name == "rate_limited":
        assert reply.headers["x-ratelimit-reset-requests"] == "1800000002"
        assert reply.headers["x-ratelimit-remaining-requests"] == "0"


def test_the_observed_error_budget_tells_when_it_resets(make_client: MakeClient) -> None:
    client = make_client(engine="fast", behavior="observed", wall_clock=Clock())
    for order, wait in (("error=error_budget", 30), ("error=error_budget; retry_after=5", 5)):
        told = ordered(client, order).headers
        assert told["retry-after"] == str(wait)
        assert told["x-ratelimit-resets"] == str(1_800_000_000_000 + wait * 1000)


def test_an_ordered_429_tells_when_the_minute_of_what_was_really_used_ends(make_client: MakeClient) -> None:
    clock = Clock()
    client = make_client(engine="fast", wall_clock=clock)
    assert ordered(client, "error=rate_limited").headers["retry-after"] == "60"
    assert client.edit(**good()).status == 200
    clock.now += 15
    assert ordered(client, "error=rate_limited").headers["retry-after"] == "45"
    overloaded = ordered(client, "error=overloaded").headers
    assert (overloaded["retry-after"], overloaded["x-ratelimit-remaining-requests"]) == ("30", "19")
    assert (
        client.edit(**good()).headers["x-ratelimit-remaining-requests"] == "18"
    )  # ordered ones do not count


def test_a_pause_is_made_before_a_picture_and_before_an_error_of_any_stage(client: Client) -> None:
    for order, status in (("latency=60ms", 200), *((f"error={n}; latency=60ms", None) for n in ERRORS)):
        began = time.perf_counter()
        reply = ordered(client, order)
        assert time.perf_counter() - began >= 0.06, order
        assert reply.status == (status or HOME.error(order.partition(";")[0][6:]).status)
        assert reply.headers["x-mock-cause"] == f"header:{order.lower()}"
    drawn = ordered(client, "latency=1ms..2ms")
    assert (drawn.status, drawn.headers["x-mock-cause"]) == (200, "header:latency=1ms..2ms")


def test_the_headers_pause_goes_before_the_servers(make_client: MakeClient) -> None:
    client = make_client(engine="fast", latency=Latency(300, 300))
    assert ordered(client, "latency=0").status == 200  # or this test would last


def test_a_pause_that_is_a_range_is_never_left_to_chance(make_client: MakeClient) -> None:
    def pauses(**settings: Any) -> list[float]:
        session = server_of(make_client(**settings)).session
        return [session.uniform(0.2, 2.0) for _ in range(20)]

    unseeded, seeded = pauses(), pauses(seed=7)
    assert unseeded == pauses()
    assert seeded == pauses(seed=7)
    assert unseeded != seeded
    assert len(set(seeded)) == 20
    assert all(0.2 <= pause <= 2.0 for pause in seeded + unseeded)


@pytest.mark.rules("EDIT-PAY-041", "EDIT-RATE-008")
@pytest.mark.parametrize(
    "order", ["latency=600s", "error=timeout; latency=600s", "error=rate_limited;latency=600s"]
)
def test_who_leaves_during_the_pause_pays_nothing(client: Client, order: str) -> None:
    async def leave_early() -> int:
        leave = asyncio.Event()
        headers = [
            ("authorization", f"Bearer {KEY}"),
            ("content-type", "application/json"),
            ("x-mock", order),
        ]
        edit = asyncio.create_task(request(client.app, "POST", EDIT, headers, [good_body()], leave=leave))
        if "rate" not in order:
            await until_held(client, account_id(KEY), edit)
        leave.set()
        return (await asyncio.wait_for(edit, 30)).status

    assert client.runner.run(leave_early()) == 499
    is_free(client)


def test_a_seed_draws_another_picture_and_the_same_again(make_client: MakeClient) -> None:
    client, seeded = make_client(), make_client(seed=7)
    plain, one, again, other = (
        client.edit(**good()),
        ordered(client, "seed=7"),
        ordered(client, "seed=7"),
        ordered(client, "seed=8"),
    )
    assert one.body == again.body == seeded.edit(**good()).body
    assert len({plain.body, one.body, other.body}) == 3
    assert one.headers["x-mock-cause"] == "header:seed=7"


def test_a_wallet_is_refused_in_its_own_words(make_client: MakeClient, tmp_path: Path) -> None:
    purse = purse_of(make_client, tmp_path, "5")
    for headers in ({"X-Mock": "error=insufficient_balance"}, {"Prefer": "code=402"}):
        reply = purse.edit(headers=headers)
        assert (reply.status, reply.json["code"], reply.json["currentBalanceUsd"]) == (
            402,
            "PAYMENT_REQUIRED",
            0,
        )
        assert reply.headers["x-mock-cause"].startswith("header:")
    assert purse.edit(headers={"X-Mock": "error=spend_limit"}).json["error"].startswith("API key USD")
    assert purse.balance() == 5
    assert purse.edit(headers={"X-Mock": "error=offline"}).status == 503
    assert purse.balance() == 5


# --- reading the headers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("foo", ["error=", "retry_after=", "latency=", "seed="]),
        ("error", ["error="]),
        ("=", ["error="]),
        ("fault", ["fault=", "latency="]),
        ("fault=rest", ["Did you mean reset", "charge_then_504"]),
        ("fault=reset@bodies", ["reset@body:BYTES"]),
        ("fault=corrupt@headers", ["corrupt@body:BYTES"]),
        ("fault=slow@2", ["500ms"]),
        ("fault=slow@0", ["500ms"]),
        ("fault=wrong_media_type@text", ["text/plain"]),
        ("fault=charge_then_504@body", ["takes nothing"]),
        ("fault=reset; fault=cut", ["twice"]),
        ("adult=perhaps", ["true or false"]),
        ("error=rate_limted", ["Did you mean rate_limited", "model_not_found", "timeout"]),
        ("error=", ["model_not_found"]),
        ("error=timeout, seed=1", ["timeout"]),
        ("error=timeout; error=offline", ["twice"]),
        ("retry_after=-1", ["from 0 to 86400"]),
        ("retry_after=86401", ["from 0 to 86400"]),
        ("retry_after=2.5", ["whole number"]),
        ("retry_after=" + "9" * 5000, ["whole number"]),
        ("latency=601s", ["at most 600s"]),
        ("latency=2", ["800ms"]),
        ("latency=2s..1s", ["800ms"]),
        ("seed=-1", ["whole number"]),
        ("seed=²", ["whole number"]),
    ],
)
def test_an_order_that_cannot_be_read_is_told_what_is_known(
    client: Client, order: str, names: list[str]
) -> None:
    reply = ordered(client, order, key="mock_timeout")
    assert (reply.status, list(reply.json)) == (400, ["error"])
    assert reply.headers["x-mock-cause"] == "header:X-Mock"
    assert reply.json["error"].startswith("X-Mock: ")
    assert len(reply.body) < 2000
    for name in names:
        assert name in reply.json["error"], reply.json


def test_a_preference_that_cannot_be_read_says_who_was_not_understood(client: Client) -> None:
    reply = client.edit(headers={"Prefer": "code=299"}, **good())
    assert (reply.status, reply.headers["x-mock-cause"]) == (400, "header:Prefer")


@pytest.mark.parametrize("key", ["a-test-key", "mock_reset"])
def test_a_time_to_wait_without_an_error_is_told_and_uses_no_rule_up(client: Client, key: str) -> None:
    control(client, "POST", "/__mock/rules", id="a", then={"seed": 7}, times=1)
    reply = client.edit(key=key, headers={"X-Mock": "retry_after=2"}, **good())
    assert reply.status == 400
    assert reply.json["error"].startswith("retry_after goes with an error")
    assert reply.headers["x-mock-cause"] == "header:retry_after=2"
    assert client.get("/__mock/rules/a").json["fired"] == 0


@pytest.mark.parametrize("by", ["key", "rule", "prefer"])
def test_a_time_to_wait_goes_with_an_error_by_whomever(client: Client, by: str) -> None:
    if by == "rule":
        control(client, "POST", "/__mock/rules", then={"error": "rate_limited"})
    prefer = {"Prefer": "code=429"} if by == "prefer" else {}
    key = "mock_rate_limited" if by == "key" else ""
    reply = client.edit(key=key, headers={"X-Mock": "retry_after=2", **prefer}, **good())
    assert (reply.status, reply.headers["retry-after"]) == (429, "2")


@pytest.mark.parametrize(
    ("order", "meant"),
    [
        ("", Steering()),
        (" ; ;", Steering()),
        ("seed=7", Steering(seed=7, cause="header:seed=7")),
        ("SEED = 7 ;", Steering(seed=7, cause="header:seed=7")),
        (
            "Error=Timeout;latency=0.5s",
            Steering(
                "REQUEST_TIMEOUT", latency=Latency(0.5, 0.5), cause="header:error=timeout; latency=0.5s"
            ),
        ),
        ("retry_after=0", Steering(retry_after=0, cause="header:retry_after=0")),
    ],
)
def test_an_order_is_read_in_any_case_and_spacing(contract: Contract, order: str, meant: Steering) -> None:
    assert steering_of(contract, [order], []) == meant


def test_two_headers_are_one_order(contract: Contract) -> None:
    both = steering_of(contract, ["seed=7", "error=offline"], [])
    assert (both.seed, both.error) == (7, "MODEL_OFFLINE")
    with pytest.raises(ApiError):
        steering_of(contract, ["seed=7", "seed=7"], [])


USUAL = {
    400: "INVALID_REQUEST", 401: "AUTHENTICATION_FAILED", 402: "INSUFFICIENT_BALANCE", 403: "API_ACCESS_DISABLED",
    404: "MODEL_NOT_FOUND", 413: "PAYLOAD_TOO_LARGE", 415: "INVALID_CONTENT_TYPE", 422: "CONTENT_POLICY_VIOLATION",
    429: "RATE_LIMIT_EXCEEDED", 500: "IMAGE_EDIT_ERROR", 503: "MODEL_OFFLINE", 504: "REQUEST_TIMEOUT",
}  # fmt: skip


@pytest.mark.rules("EDIT-ERR-004")
@pytest.mark.parametrize("code", USUAL)
def test_prefer_orders_the_usual_error_of_a_status(client: Client, contract: Contract, code: int) -> None:
    assert client.edit(**good(prompt="")).status == 400  # opens the account
    reply = client.edit(headers={"Prefer": f"code={code}"}, **good())
    assert (reply.status, reply.headers["x-mock-cause"]) == (code, f"header:code={code}")
    assert reply.json["error"] == contract.error(USUAL[code]).text
    assert usual_error(contract, code) == USUAL[code]
    is_free(client)


@pytest.mark.parametrize(
    "text",
    ["", "respond-async", "wait=10, return=minimal", "handling=lenient; code", 'x="a;b"', "decode=402"],
)
def test_other_preferences_are_not_ours(client: Client, text: str) -> None:
    reply = client.edit(headers={"Prefer": text}, **good())
    if text.endswith("; code"):
        assert reply.status == 400
    else:
        assert reply.status == 200
        assert "x-mock-cause" not in reply.headers


@pytest.mark.parametrize(
    "text", ["code=402, wait=3", 'wait=3; code="402"', "CODE = 402", "code=402,code=402"]
)
def test_prefer_is_found_among_other_preferences(contract: Contract, text: str) -> None:
    assert steering_of(contract, [], [text]).error == "INSUFFICIENT_BALANCE"


@pytest.mark.parametrize(
    "text", ["code=200", "code=418", "code=", "code", "code=abc", "code=402,code=500", "code=٤٠٢"]
)
def test_a_status_without_an_error_is_told_which_there_are(client: Client, text: str) -> None:
    reply = client.edit(headers={"Prefer": text.encode().decode("latin-1")}, **good())
    assert reply.status == 400
    assert reply.json["error"].startswith("Prefer: code is one of 400, 401, 402, ")


def test_x_mock_goes_before_prefer_and_both_before_the_key(client: Client) -> None:
    def edit(key: str, **headers: str) -> tuple[int, str]:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = client.edit(key=key, headers=said, **good())
        return reply.status, reply.headers["x-mock-cause"]

    assert edit("mock_timeout", X_Mock="error=offline", Prefer="code=500") == (503, "header:error=offline")
    assert edit("mock_timeout", Prefer="code=500") == (500, "header:code=500")
    assert edit("mock_timeout", X_Mock="seed=1") == (504, "header:seed=1, key:mock_timeout")
    assert edit("mock_timeout", X_Mock="seed=1", Prefer="code=500") == (500, "header:seed=1, header:code=500")
    assert edit("mock_flaky_2", X_Mock="error=offline") == (503, "header:error=offline")
    assert edit("mock_flaky_2", X_Mock="seed=1") == (
        500,
        "header:seed=1, key:mock_flaky_2",
    )  # not used up before
    reply = client.edit(key="mock_rate_limited", headers={"X-Mock": "retry_after=2"}, **good())
    assert (reply.status, reply.headers["retry-after"]) == (429, "2")


def test_pure_hides_the_cause_and_obeys_all_the_same(make_client: MakeClient) -> None:
    client = make_client(pure=True)
    for reply, status in (
        (ordered(client, "error=offline; latency=1ms"), 503),
        (ordered(client, "seed=7"), 200),
        (client.edit(key="mock_overloaded", **good()), 429),
        (client.edit(key="mock_flaky_1", **good()), 200),
        (ordered(client, "nonsense"), 400),
    ):
        assert reply.status == status
        assert not [name for name in reply.headers if "mock" in name]


NAMES = st.sampled_from([*ERRORS, "rate_limited", "timeout", "flaky", ""])
SCRAPS = st.one_of(
    NAMES.map("error={}".format),
    st.integers(-5, 10**6).map("retry_after={}".format),
    st.sampled_from(
        ["latency=0", "latency=1ms", "latency=-1ms", "latency=0ms..1ms", "seed=1", "code=503", "code"]
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12),
)
HEADERS = st.builds(
    lambda scraps, glue: glue.join(scraps),
    st.lists(SCRAPS, max_size=4),
    st.sampled_from(["; ", ";", ",", " "]),
)


@pytest.fixture(scope="module")
def shared() -> Any:
    client = Client(create_app(Settings(engine="fast")))
    yield client
    client.close()


@settings(max_examples=150, deadline=None, database=None)
@given(mock=HEADERS, prefer=HEADERS, key=st.sampled_from([None, KEY, "mock_flaky_1", "mock_overloaded"]))
def test_no_header_leads_to_a_5xx_that_was_not_asked_for(
    shared: Client, mock: str, prefer: str, key: str | None
) -> None:
    reply = shared.edit(key=key, headers={"X-Mock": mock, "Prefer": prefer}, **good())
    json.dumps(dict(reply.headers)).encode("ascii")
    if reply.status >= 500:
        name = steering_of(HOME, [mock], [prefer]).error
        assert name is not None
        assert HOME.error(name).status == reply.status


# --- one order over another --------------------------------------------------------------------------------------


def test_orders_are_laid_over_each_other_field_by_field() -> None:
    strong, weak = Steering(seed=1, cause="a"), Steering("X", times=2, latency=Latency(1, 2), cause="b")
    assert strong.over(weak) == Steering("X", times=2, latency=Latency(1, 2), seed=1, cause="a, b")
    assert Steering("Y", cause="a").over(Steering("X", times=2, cause="b")) == Steering("Y", cause="a")
    assert Steering().over(weak) == weak
    assert weak.over(Steering()) == weak
    assert Steering().over(Steering(cause="b")) == Steering()
    one, other = Latency(1, 1), Latency(2, 2)
    full = Steering(retry_after=0, latency=one, seed=0, cause="a")
    assert full.over(Steering(retry_after=5, latency=other, seed=5, cause="b")) == full


def test_only_what_changes_a_picture_is_the_cause_of_one() -> None:
    assert Steering(retry_after=2, cause="a").cause_of_success is None
    assert Steering(seed=0, cause="a").cause_of_success == "a"
    assert Steering("X", times=0, cause="a").cause_of_success == "a"
