"""What a run does to a server that costs money: a stand-in of the original counts, and its counters are the evidence.

All on a virtual clock: no test waits.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from standins import Paid, VirtualTime
from venice_contract.judging.check import Check
from venice_contract.judging.facts import Facts
from venice_contract.rules import all_checks
from venice_contract.running.judging import Scope, judge
from venice_contract.running.opening import Options
from venice_contract.running.profiles import ProfileName
from venice_contract.running.results import RunResult, Verdict
from venice_contract.wire.target import read_target
from venice_mock.contract import load_edition

KEY = "a key of this test alone"
HOST = "127.0.0.1"


def paid(tmp_path: Path, **more: Any) -> tuple[Paid, Any]:
    """The stand-in and its application."""
    stand_in = Paid(VirtualTime(), KEY.replace(" ", "-"), **more)
    return stand_in, stand_in.app(tmp_path / "keys.json")


def judged(
    stand_in: Paid, app: Any, profile: ProfileName, budget: str | None = None, **scope: Any
) -> RunResult:
    """A run with this profile, its key in the environment unless ``environ`` is given, on the stand-in's clock."""
    environ = scope.pop("environ", {"VENICE_API_KEY": stand_in.key})
    options = Options(
        read_target("asgi:paid", app),
        profile,
        accepted="any",
        budget=None if budget is None else Decimal(budget),
        confirm_host=HOST,
    )
    scope.setdefault("checks", light_checks)
    time = stand_in.time
    return judge(
        options,
        Scope(**scope),
        environ=environ,
        wall_clock=time,
        monotonic=time,
        sleep=time.sleep,
    )


def light_checks() -> tuple[Check, ...]:
    """Without the checks that send many megabytes: their number, not their weight, matters here."""
    return tuple(check for check in all_checks() if not check.heavy)


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Paid, RunResult]:
    """Everything that may be tried there, with money enough for it."""
    stand_in, app = paid(tmp_path_factory.mktemp("paid"), balance="60")
    return stand_in, judged(stand_in, app, "real", "30")


# --- money -----------------------------------------------------------------------------------------------------


def test_what_a_run_says_it_spent_is_what_the_server_charged(long_run: tuple[Paid, RunResult]) -> None:
    stand_in, result = long_run
    assert Decimal(5) < stand_in.charged() < Decimal(20)
    assert result.spent == stand_in.charged()
    assert result.counts[Verdict.UNTESTED_COST] == 0
    assert result.exit_code == 3, {r.rule.id: r.reason for r in result.having(Verdict.FAIL)}


def test_no_case_costs_more_than_the_dry_run_predicts(long_run: tuple[Paid, RunResult]) -> None:
    _, result = long_run
    facts = Facts(load_edition(result.edition))
    checks = {check.id: check for check in light_checks()}
    paid_cases = [case for rule in result.rules for case in rule.cases if case.spent]
    assert len(paid_cases) > 50
    for case in paid_cases:
        predicted = checks[case.check].spends(facts, case.value)
        assert case.spent <= predicted, f"{case.check} {case.value} cost {case.spent}, predicted {predicted}"


@pytest.mark.parametrize("budget", ["0", "0.02", "0.10", "0.50"])
def test_no_run_spends_more_than_its_budget(tmp_path: Path, budget: str) -> None:
    stand_in, app = paid(tmp_path, balance="20")
    result = judged(stand_in, app, "real", budget, only=("EDIT-FMT-*", "EDIT-MOD-*", "EDIT-QLT-*"))
    assert stand_in.charged() == result.spent <= Decimal(budget)
    assert result.counts[Verdict.UNTESTED_COST] > 0
    assert result.exit_code == 3
    dearest = max((case.spent for rule in result.rules for case in rule.cases), default=Decimal(0))
    assert dearest <= Decimal("0.08"), "the cheapest edits come first"


def test_the_profile_free_sends_no_key_and_nothing_that_could_succeed(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path)
    result = judged(stand_in, app, "free")
    assert stand_in.charged() == 0
    assert result.spent == 0
    assert stand_in.key not in stand_in.keys_seen
    edits_answered_with_200 = [
        exchange
        for rule in result.rules
        for case in rule.cases
        for exchange in case.exchanges
        if exchange.request.method == "POST" and exchange.reply is not None and exchange.reply.status == 200
    ]
    assert edits_answered_with_200 == []
    assert any(rule.verdict is Verdict.PASS for rule in result.rules)


def test_an_answer_that_may_have_been_charged_is_booked_as_charged_and_not_repeated(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path, forced={2: (504, {})})
    result = judged(stand_in, app, "real", "0.50", only=("EDIT-RSP-001",))
    assert stand_in.statuses[504] == 1
    assert result.spent >= stand_in.charged() + Decimal("0.03")
    cases = [case for case in result.rules[0].cases if case.source == "witness"]
    assert result.requests == len(cases)


@pytest.mark.parametrize(
    ("profile", "budget", "variable", "only"),
    [
        ("real", "0.50", "VENICE_API_KEY", "EDIT-FMT-*"),
        ("free", None, "VENICE_EMPTY_API_KEY", "EDIT-PAY-001"),
    ],
)
def test_a_key_that_the_server_does_not_know_ends_the_run_and_is_no_fault_of_the_server(
    tmp_path: Path, profile: ProfileName, budget: str | None, variable: str, only: str
) -> None:
    stand_in, app = paid(tmp_path)
    wrong = {variable: "mock_invalid_key_of_the_user"}
    result = judged(stand_in, app, profile, budget, only=(only,), environ=wrong)
    assert f"answered 401 to the key in {variable}" in result.stopped
    assert stand_in.statuses[401] == 1
    assert result.exit_code == 4
    assert result.counts[Verdict.FAIL] == 0
    assert wrong[variable] not in result.stopped


# --- limits ----------------------------------------------------------------------------------------------------


def test_the_pace_stays_below_the_servers_limits(long_run: tuple[Paid, RunResult]) -> None:
    stand_in, result = long_run
    assert result.stopped == ""
    assert stand_in.statuses[429] == 0
    assert stand_in.most_edits_a_minute <= 18
    assert stand_in.most_failures_in_30_s <= 15
    assert result.waited_s == pytest.approx(stand_in.time.slept)
    assert stand_in.time.slept > 60


def test_a_run_that_is_told_to_wait_waits(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path, forced={3: (429, {"retry-after": "50"})})
    result = judged(stand_in, app, "real", "0.50", only=("EDIT-PRM-*",))
    assert result.stopped == ""
    assert stand_in.time.slept >= 50
    assert result.counts[Verdict.MASKED] == 0


def test_what_was_answered_429_is_asked_once_more_and_charged_once(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path, forced={2: (429, {"retry-after": "20"})})
    result = judged(stand_in, app, "real", "0.50", only=("EDIT-RSP-001",))
    cases = [case for case in result.rules[0].cases if case.source == "witness"]
    assert [case.verdict for case in cases] == [Verdict.PASS] * len(cases)
    assert result.requests == stand_in.requests - 1 == len(cases) + 1  # beside the knock, the one sent again
    assert result.spent == stand_in.charged()
    assert [exchange.label for exchange in cases[0].exchanges] == ["", "sent again after a 429"]


def test_a_second_429_ends_the_run(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path, forced={3: (429, {"retry-after": "1"}), 5: (429, {"retry-after": "1"})})
    result = judged(stand_in, app, "real", "0.50", only=("EDIT-PRM-*",))
    assert "429 twice" in result.stopped
    assert stand_in.requests == 5
    assert result.exit_code == 4


def test_a_single_403_ends_the_run(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path, forced={4: (403, {})})
    result = judged(stand_in, app, "real", "0.50", only=("EDIT-PRM-*",))
    assert "403" in result.stopped
    assert stand_in.requests == 4


def test_a_wait_that_is_too_long_ends_the_run(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path, forced={3: (429, {"retry-after": "3600"})})
    result = judged(stand_in, app, "free", only=("EDIT-*",))
    assert "3600 s" in result.stopped
    assert stand_in.requests == 3
    assert stand_in.time.slept < 60


# --- what is never sent there --------------------------------------------------------------------------------


def test_no_listed_word_no_steering_and_no_magic_key_reaches_it(long_run: tuple[Paid, RunResult]) -> None:
    stand_in, _ = long_run
    assert stand_in.requests > 200
    assert stand_in.words_seen == []
    assert stand_in.control_asked == 0
    assert {key for key in stand_in.keys_seen if key.startswith("mock_")} <= {"mock_invalid_key"}


def test_a_key_is_nowhere_in_the_result(tmp_path: Path) -> None:
    stand_in, app = paid(tmp_path, balance="20")
    result = judged(stand_in, app, "real", "0.50", only=("EDIT-RSP-*", "EDIT-AUTH-*", "BILL-*"))
    assert stand_in.key in stand_in.keys_seen
    assert stand_in.key not in repr(result)
    assert json.dumps(stand_in.key) not in repr(result)
