"""Money is reserved before and settled after; requests wait; a server that had enough of us is left alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from standins import VirtualTime
from venice_contract.judging.expect import UntestedCost
from venice_contract.running.limits import Meter, Pacer, Stopped
from venice_contract.wire.message import Reply


def answer(status: int, **headers: str) -> Reply:
    return Reply(status, tuple((name.replace("_", "-"), value) for name, value in headers.items()), b"")


def test_money_is_set_aside_before_and_booked_after() -> None:
    meter = Meter(Decimal("0.10"))
    meter.reserve(Decimal("0.06"))
    assert not meter.can_spend(Decimal("0.05"))
    meter.settle(Decimal("0.06"), Decimal("0.04"))
    assert meter.spent == Decimal("0.04")
    assert meter.can_spend(Decimal("0.06"))
    with pytest.raises(UntestedCost, match=r"\$0\.07, and \$0\.06"):
        meter.reserve(Decimal("0.07"))


def test_a_meter_without_a_limit_counts_all_the_same() -> None:
    meter = Meter()
    meter.reserve(Decimal(1000))
    meter.settle(Decimal(1000), Decimal(1000))
    assert meter.spent == 1000
    assert meter.can_spend(Decimal(10**9))


def test_no_more_edits_a_minute_than_allowed() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, per_minute=3)
    began, sent = time.now, []
    for _ in range(10):
        pacer.before(is_edit=True)
        sent.append(time.now - began)
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[3:], strict=False))
    assert sent[2] == 0


def test_other_requests_are_not_counted_as_edits() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, per_minute=1)
    for _ in range(5):
        pacer.before(is_edit=False)
    assert time.slept == 0


def test_failures_wait_for_their_window() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, failures=(2, 30.0))
    moments = []
    for _ in range(6):
        pacer.before(is_edit=True)
        moments.append(time.now)
        pacer.after(answer(400))
    assert all(later - earlier >= 30 for earlier, later in zip(moments, moments[2:], strict=False))


def test_a_batch_waits_for_all_its_places() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, per_minute=5)
    pacer.before(is_edit=True, requests=4)
    pacer.before(is_edit=True, requests=4)
    assert time.slept == 60


def test_top_ups_have_a_limit_of_their_own() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, per_minute=1, top_ups_per_minute=2)
    pacer.before(is_edit=True)
    pacer.before(is_edit=False, is_top_up=True, requests=2)
    assert time.slept == 0
    pacer.before(is_edit=False, is_top_up=True)
    assert time.slept == 60


def test_retry_after_is_honoured() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, guarded=True)
    pacer.after(answer(429, retry_after="17"))
    pacer.before(is_edit=False)
    assert time.slept == 17


@pytest.mark.parametrize("times", [("429", "429"), ("403",)])
def test_two_429s_or_one_403_end_the_run(times: tuple[str, ...]) -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, guarded=True)
    for status in times[:-1]:
        pacer.after(answer(int(status)))
    with pytest.raises(Stopped, match=times[-1]):
        pacer.after(answer(int(times[-1])))


def test_a_403_for_what_belongs_to_somebody_else_ends_nothing() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep, guarded=True)
    pacer.after(answer(403), may_be_forbidden=True)
    with pytest.raises(Stopped, match="403"):
        pacer.after(answer(403))


def test_a_retry_after_of_hours_ends_the_run() -> None:
    time = VirtualTime()
    with pytest.raises(Stopped, match="3600"):
        Pacer(time, time.sleep, guarded=True).after(answer(429, retry_after="3600"))


def test_an_unguarded_run_meets_any_number_of_429s() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep)
    for _ in range(50):
        pacer.after(answer(429))
        pacer.before(is_edit=True)
    assert time.slept == 0


def test_an_unguarded_run_waits_as_asked_before_a_second_try_but_not_for_long() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep)
    assert pacer.may_try_again(answer(429, retry_after="20"))
    pacer.before(is_edit=True)
    assert time.slept == 20
    assert pacer.may_try_again(answer(429))
    pacer.before(is_edit=True)
    assert time.slept == 21
    assert not pacer.may_try_again(answer(429, retry_after="61"))
    pacer.before(is_edit=True)
    assert time.slept == 21


def test_a_server_that_says_429_again_and_again_is_soon_asked_only_once() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep)
    tries = 0
    while pacer.may_try_again(answer(429)):
        pacer.before(is_edit=True)
        pacer.tried_again(answer(429))
        tries += 1
        assert tries < 10
    assert tries == 3


def test_second_tries_cost_no_more_than_some_minutes_of_a_run() -> None:
    time = VirtualTime()
    pacer = Pacer(time, time.sleep)
    for _ in range(100):
        if pacer.may_try_again(answer(429, retry_after="45")):
            pacer.before(is_edit=True)
            pacer.tried_again(answer(200))
    assert time.slept == 6 * 45
