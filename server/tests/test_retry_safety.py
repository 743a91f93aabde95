"""What a client that retries pays for one logical request, by the ledger: on real connections, with real losses.

Each test plays a client that sends an edit again until it has a picture, as SDKs do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from PIL import Image

from faulting import Heard, heard, paid, told
from live import running
from rulekit import good_body

PRICE = Decimal("0.04")
_ATTEMPTS = 4
_NUMBERS = count(1)
# What is lost once, and how often one picture is paid for by a client that simply retries.
BATTERY = {
    "charge_then_reset": 2,
    "charge_then_504": 2,
    "reset_before_charge": 1,
    "cut": 2,
    "cut@body:1000": 2,
    "corrupt": 2,
    "reset": 2,
    "reset@headers": 2,
    "reset@body:100": 2,
    "stall": 2,
    "wrong_media_type": 2,
    "slow@200ms": 1,
}


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running("--engine", "fast", "--seed", "1") as address:
        yield address


@pytest.fixture
def session(origin: str) -> str:
    """A session of its own, as its origin is addressed."""
    name = f"retries-{next(_NUMBERS)}"
    told(origin, "POST", "/__mock/sessions", name=name)
    return name


def is_picture(got: Heard) -> bool:
    if (got.end, got.status) != ("complete", 200) or not got.headers["content-type"].startswith("image/"):
        return False
    try:
        Image.open(io.BytesIO(got.body)).load()
    except (OSError, SyntaxError):
        return False
    return True


def insists(origin: str, session: str, key: str = "mock_ok", **fields: Any) -> int:
    """Send one logical request until there is a picture; how many attempts it took."""
    for attempt in range(1, _ATTEMPTS + 1):
        path = f"/__s/{session}/api/v1/image/edit"
        got = heard(origin, key=key, path=path, body=good_body(**fields), patience=2.0)
        if is_picture(got):
            return attempt
    raise AssertionError(f"no picture after {_ATTEMPTS} attempts")


def paid_in(origin: str, session: str, key: str = "mock_ok") -> list[Decimal]:
    return paid(f"{origin}/__s/{session}", key)


def lose(origin: str, session: str, fault: str, **more: Any) -> None:
    told(origin, "POST", f"/__s/{session}/__mock/rules", then={"fault": fault}, **{"times": 1, **more})


@pytest.mark.parametrize(("fault", "payments"), BATTERY.items())
def test_what_one_picture_costs_when_its_answer_is_lost_once(
    origin: str, session: str, fault: str, payments: int
) -> None:
    lose(origin, session, fault)
    assert insists(origin, session) == (1 if fault.startswith("slow") else 2)
    assert paid_in(origin, session) == [PRICE] * payments
    (rule,) = told(origin, "GET", f"/__s/{session}/__mock/rules")["rules"]
    assert rule["fired"] == 1
    verdict = told(origin, "GET", f"/__s/{session}/__mock/ledger/verdict")
    (request,) = verdict["logical_requests"]  # all attempts were at one
    assert (verdict["ok"], request["charges"]) == (payments == 1, payments)
    assert [attempt["fault"] for attempt in request["attempts"]] == [fault, None][: len(request["attempts"])]


def test_without_a_loss_one_picture_is_paid_for_once(origin: str, session: str) -> None:
    assert insists(origin, session) == 1
    assert paid_in(origin, session) == [PRICE]


def test_every_loss_after_the_charge_is_paid_for_again(origin: str, session: str) -> None:
    lose(origin, session, "charge_then_504", times=3)
    assert insists(origin, session) == 4
    assert paid_in(origin, session) == [PRICE] * 4


def test_losses_before_and_after_the_charge_are_told_apart_by_the_ledger_alone(
    origin: str, session: str
) -> None:
    lose(origin, session, "reset_before_charge")
    lose(origin, session, "charge_then_reset")
    assert insists(origin, session) == 3
    assert paid_in(origin, session) == [PRICE] * 2


def test_only_the_edits_that_are_meant_lose_their_answer(origin: str, session: str) -> None:
    lose(origin, session, "charge_then_reset", match={"prompt_contains": "sunset"})
    assert insists(origin, session, prompt="a sunrise") == 1
    assert insists(origin, session, prompt="a sunset") == 2
    assert len(paid_in(origin, session)) == 3


def test_who_cannot_pay_twice_is_told_so(origin: str, session: str) -> None:
    lose(origin, session, "charge_then_reset")
    with pytest.raises(AssertionError, match="no picture"):
        insists(origin, session, key="mock_balance_0.05")
    assert paid_in(origin, session, "mock_balance_0.05") == [PRICE]


def test_the_balance_agrees_with_the_ledger_after_every_loss(origin: str, session: str) -> None:
    for fault in BATTERY:
        lose(origin, session, fault)
        insists(origin, session)
    account = told(origin, "GET", f"/__s/{session}/__mock/accounts/mock_ok")
    charges = paid_in(origin, session)
    assert sum(charges) == PRICE * sum(BATTERY.values())
    assert Decimal(account["balance_usd"]) == 100 - sum(charges)
    assert account["held_usd"] == "0.000000"
    verdict = told(origin, "GET", f"/__s/{session}/__mock/ledger/verdict")
    assert verdict["ok"] is False, verdict
