"""What a rule is worth, and what a run returns."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from venice_contract.reports.wording import conclusion
from venice_contract.running.results import CaseResult, RuleResult, RunResult, Verdict, verdict_of_rule
from venice_mock.contract import Rule

RULE = Rule(
    "EDIT-X-001", "x", "must", "It holds.", "Look.", "specification", "documented", "free", "2026-06-19"
)


def case(verdict: Verdict) -> CaseResult:
    return CaseResult("EDIT-X-001/check", "EDIT-X-001", None, verdict, f"told {verdict}")


def of(*verdicts: Verdict, rule: Rule = RULE, foreign: bool = False, deviation: str | None = None) -> Verdict:
    return verdict_of_rule(rule, [case(v) for v in verdicts], foreign=foreign, deviation=deviation).verdict


def told(**changes: object) -> Rule:
    import msgspec

    return msgspec.structs.replace(RULE, **changes)


def test_a_rule_is_worth_its_worst_case() -> None:
    assert of(Verdict.PASS, Verdict.PASS) is Verdict.PASS
    assert of(Verdict.PASS, Verdict.FAIL, Verdict.HARNESS) is Verdict.FAIL
    assert of(Verdict.PASS, Verdict.HARNESS) is Verdict.HARNESS


@pytest.mark.parametrize("hidden", [Verdict.MASKED, Verdict.UNTESTED_COST, Verdict.UNTESTED_CREDENTIAL])
def test_what_was_not_seen_never_counts_as_passed(hidden: Verdict) -> None:
    assert of(Verdict.PASS, hidden, Verdict.PASS) is hidden


def test_a_case_that_does_not_apply_leaves_the_others_their_say() -> None:
    assert of(Verdict.NA, Verdict.PASS) is Verdict.PASS
    assert of(Verdict.NA) is Verdict.NA


def test_a_broken_should_warns_and_a_broken_may_is_only_seen() -> None:
    assert of(Verdict.FAIL, rule=told(level="should")) is Verdict.WARN
    assert of(Verdict.FAIL, rule=told(level="may")) is Verdict.OBSERVED
    assert of(Verdict.FAIL, rule=told(level="observe")) is Verdict.OBSERVED
    assert of(Verdict.PASS, rule=told(level="observe")) is Verdict.OBSERVED


def test_what_is_only_supposed_does_not_condemn_a_foreign_server() -> None:
    supposed = told(certainty="assumed")
    assert of(Verdict.FAIL, rule=supposed, foreign=True) is Verdict.WARN
    assert of(Verdict.FAIL, rule=supposed) is Verdict.FAIL
    assert of(Verdict.FAIL, foreign=True) is Verdict.FAIL


def test_a_listed_deviation_may_fail_but_not_pass() -> None:
    assert of(Verdict.FAIL, deviation="since June") is Verdict.XFAIL
    assert of(Verdict.PASS, deviation="since June") is Verdict.STALE
    assert of(Verdict.MASKED, deviation="since June") is Verdict.MASKED


def run_of(*verdicts: Verdict, level: str = "must", stopped: str = "") -> RunResult:
    rule = told(level=level)
    rules = tuple(RuleResult(rule, verdict, ()) for verdict in verdicts)
    return RunResult(
        "t",
        "s",
        "2026-06-19",
        "any",
        "ci",
        0,
        "2026-06-19T00:00:00Z",
        1.0,
        rules,
        Decimal(0),
        None,
        1,
        stopped,
    )


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((Verdict.PASS, Verdict.WARN, Verdict.OBSERVED, Verdict.XFAIL, Verdict.NA), 0),
        ((Verdict.PASS, Verdict.FAIL), 1),
        ((Verdict.STALE,), 1),
        ((Verdict.FAIL, Verdict.HARNESS), 1),
        ((Verdict.PASS, Verdict.MASKED), 3),
        ((Verdict.UNTESTED_COST,), 3),
        ((Verdict.UNTESTED_CREDENTIAL,), 3),
        ((Verdict.HARNESS, Verdict.MASKED), 4),
    ],
)
def test_the_exit_code_says_what_came_of_the_run(verdicts: tuple[Verdict, ...], code: int) -> None:
    assert run_of(*verdicts).exit_code == code


def test_a_run_that_ended_early_is_no_verdict() -> None:
    assert run_of(Verdict.PASS, stopped="two 429s").exit_code == 4
    assert run_of(Verdict.FAIL, stopped="two 429s").exit_code == 4


def test_rules_that_need_not_be_kept_need_not_be_tested() -> None:
    assert run_of(Verdict.MASKED, level="observe").exit_code == 0
    assert run_of(Verdict.MASKED, level="should").exit_code == 3


def test_each_result_concludes_in_a_sentence_of_its_own() -> None:
    ends = {
        run_of(v).conclusion
        for v in (Verdict.PASS, Verdict.FAIL, Verdict.STALE, Verdict.HARNESS, Verdict.MASKED)
    }
    ends.add(run_of(stopped="x").conclusion)
    assert len(ends) == 6
    assert replace(run_of(Verdict.PASS)).conclusion == "Conforming."


def test_what_is_listed_as_a_deviation_is_named_in_the_conclusion() -> None:
    assert run_of(Verdict.PASS, Verdict.XFAIL).conclusion == "Conforming but for 1 listed deviation."
    two = (Verdict.XFAIL, Verdict.XFAIL)
    assert run_of(*two).conclusion == "Conforming but for 2 listed deviations."
    unseen = run_of(*two, Verdict.MASKED).conclusion
    assert unseen == "Nothing wrong but for 2 listed deviations, and 1 required rule was not seen."
    assert conclusion(run_of(*two)) == "But for 2 listed deviations."
