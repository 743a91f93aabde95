"""What a foreign server answered with 429 is asked once more, where a second request cannot do harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from judged_apps import answering
from standins import VirtualTime
from venice_contract.judging.check import check
from venice_contract.judging.expect import has_status
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.running.judging import Scope, judge
from venice_contract.running.opening import Options
from venice_contract.running.results import CaseResult, Verdict
from venice_contract.wire.message import Request, json_request
from venice_contract.wire.target import read_target
from venice_mock.app import create_app
from venice_mock.settings import Settings

RULE = "EDIT-RSP-001"


def limiting(app: Any, refusals: int, seen: Counter[str], **headers: str) -> Any:
    """The application; of all requests but the first so many are answered 429. ``seen``: by path or signature."""
    refusing = answering(429, b'{"error": "Too many requests"}', **headers)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        counts = scope["type"] == "http" and not scope["path"].endswith(("/models", "/__mock"))
        if counts:
            signature = dict(scope["headers"]).get(b"sign-in-with-x", b"").decode("latin-1")
            seen[signature or scope["path"]] += 1
        await (refusing if counts and seen.total() <= refusals else app)(scope, receive, send)

    return serve


def judged(
    app: Any, run: Callable[[Probe, Any], None], time: VirtualTime, values: int = 1
) -> list[CaseResult]:
    """The results of one check on a server that cannot be steered."""
    made = check(RULE, witnesses=range(values))(run)
    scope = Scope(only=(RULE,), checks=lambda: (made,), invariants=lambda: ())
    result = judge(
        Options(read_target("asgi:limiting", app), "ci"),
        scope, environ={}, wall_clock=time, monotonic=time, sleep=time.sleep,
    )  # fmt: skip
    return list(result.rules[0].cases)


def mock() -> Any:
    return create_app(Settings(control=False, engine="fast"))


def edits(probe: Probe, _value: Any) -> None:
    probe.succeeds(probe.edit())


def test_a_case_that_met_a_429_is_tried_again_after_the_wait_that_was_asked_for() -> None:
    seen, time = Counter[str](), VirtualTime()
    (case,) = judged(limiting(mock(), 1, seen, retry_after="12"), edits, time)
    assert case.verdict is Verdict.PASS
    assert time.slept == 12
    assert [exchange.reply and exchange.reply.status for exchange in case.exchanges] == [429, 200]


def test_a_wallet_signs_anew_for_the_second_try() -> None:
    def reads(probe: Probe, _value: Any) -> None:
        caller = probe.wallet()
        probe.status(probe.get(f"/x402/balance/{caller.wallet.address}", caller=caller), 200)

    seen = Counter[str]()
    time = VirtualTime()
    app = create_app(Settings(control=False, engine="fast"), wall_clock=time)
    (case,) = judged(limiting(app, 1, seen), reads, time)
    assert case.verdict is Verdict.PASS
    assert len(case.exchanges) == len(seen) == 2


def test_a_second_429_masks_the_case() -> None:
    seen = Counter[str]()
    (case,) = judged(limiting(mock(), 9, seen), edits, VirtualTime())
    assert case.verdict is Verdict.MASKED
    assert seen.total() == 2


def test_a_server_that_says_429_to_everything_costs_neither_hours_nor_twice_the_requests() -> None:
    seen, time = Counter[str](), VirtualTime()
    cases = judged(limiting(mock(), 999, seen, retry_after="30"), edits, time, values=50)
    assert {case.verdict for case in cases} == {Verdict.MASKED}
    assert seen.total() == 50 + 3
    assert time.slept == 3 * 30


def top_up(probe: Probe, _value: Any) -> None:
    probe.status(probe.send(Request("POST", "/x402/top-up", body=b"{}")), 200)


def signed_by_hand(probe: Probe, _value: Any) -> None:
    request = json_request(probe.good())
    probe.status(probe.send(request, caller=NOBODY, headers=(("SIGN-IN-WITH-X", "e30="),)), 200)


def together(probe: Probe, _value: Any) -> None:
    replies = probe.send_all([(json_request(probe.good()), probe.key())] * 2)
    for reply in replies:
        probe.status(reply, 200)


@pytest.mark.parametrize(("run", "sent"), [(top_up, 1), (signed_by_hand, 1), (together, 2)])
def test_payments_statements_of_one_use_and_what_belongs_together_are_never_repeated(
    run: Callable[[Probe, Any], None], sent: int
) -> None:
    seen = Counter[str]()
    (case,) = judged(limiting(mock(), 9, seen), run, VirtualTime())
    assert case.verdict is Verdict.MASKED
    assert seen.total() == sent


def test_a_mock_that_can_be_steered_means_its_429() -> None:
    def limited(probe: Probe, _value: Any) -> None:
        session, order = probe.session(), (("X-Mock", "error=rate_limited"),)
        request = json_request(session.good())
        has_status(session.send(request, caller=session.key(), headers=order), 429)

    time = VirtualTime()
    (case,) = judged(create_app(Settings(engine="fast")), limited, time)
    assert case.verdict is Verdict.PASS, case.sentence
    assert time.slept == 0
