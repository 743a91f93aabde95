"""Foreign servers get the verdicts that they deserve, and nothing that was not seen counts as passed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from standins import FIVE_DEVIATIONS, FOLLOWING, always_200, schema_only, with_five_deviations
from venice_contract.running.judging import Scope, judge
from venice_contract.running.opening import Options
from venice_contract.running.results import NOT_SEEN, RunResult, Verdict
from venice_contract.wire.target import read_target


@cache
def judged(
    make: Callable[[], Any],
    witnesses: int = 1,
    only: tuple[str, ...] = (),
    deviations: tuple[tuple[str, str], ...] = (),
) -> RunResult:
    """A stand-in's result, with the first fixed values of each light check."""
    target = read_target(f"asgi:{make.__name__}", make())
    scope = Scope(examples=0, heavy=False, most_witnesses=witnesses, only=only, deviations=dict(deviations))
    return judge(Options(target, "ci"), scope, environ={})


def verdicts(result: RunResult) -> dict[str, Verdict]:
    """Rule -> verdict."""
    return {rule.rule.id: rule.verdict for rule in result.rules}


# --- everything is 200 -----------------------------------------------------------------------------------------


def test_a_server_that_says_200_to_everything_fails() -> None:
    result = judged(always_200)
    assert result.exit_code == 1
    assert result.counts[Verdict.FAIL] > 80
    assert result.counts[Verdict.HARNESS] == 0


@pytest.mark.parametrize(
    "rule",
    ["EDIT-PRM-001", "EDIT-IMG-012", "EDIT-MOD-005", "EDIT-AUTH-002", "EDIT-AUTH-012", "EDIT-RSP-001", "MODELS-001"],
)  # fmt: skip
def test_it_fails_what_it_should_have_refused_or_answered(rule: str) -> None:
    assert verdicts(judged(always_200))[rule] is Verdict.FAIL


def test_hardly_any_rule_can_be_passed_by_saying_yes() -> None:
    """What it passes speaks of a request that is not to be refused, or of what an answer must not hold."""
    passed = {rule.rule.id for rule in judged(always_200).having(Verdict.PASS)}
    assert passed <= SATISFIED_BY_YES, sorted(passed - SATISFIED_BY_YES)


# Rules that a bare 200 keeps: they say that a request is not refused, or that two requests fare alike.
SATISFIED_BY_YES = frozenset(
    [
        "EDIT-HTTP-001",
        "EDIT-HTTP-002",
        "EDIT-HTTP-005",
        "EDIT-HTTP-015",
        "EDIT-HTTP-017",
        "EDIT-HTTP-026",
        "EDIT-AUTH-004",
        "EDIT-AUTH-019",
        "X402-TOP-028",
        "EDIT-IMG-001",
        "EDIT-IMG-002",
        "EDIT-IMG-011",
        "EDIT-IMG-013",
        "EDIT-IMG-017",
        "EDIT-IMG-019",
        "EDIT-IMG-021",
        "EDIT-IMG-024",
        "EDIT-PRM-006",
        "EDIT-ASP-001",
        "EDIT-ASP-010",
        "EDIT-RES-002",
        "EDIT-RES-007",
        "EDIT-FMT-002",
        "EDIT-QLT-001",
        "EDIT-QLT-002",
        "EDIT-QLT-006",
        "EDIT-SAFE-006",
    ]
)


# --- a schema and nothing else -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("EDIT-PRM-002", Verdict.PASS),
        ("EDIT-HTTP-009", Verdict.PASS),
        ("EDIT-MOD-005", Verdict.FAIL),
        ("EDIT-IMG-012", Verdict.FAIL),
        ("EDIT-HTTP-002", Verdict.FAIL),
        ("EDIT-AUTH-002", Verdict.FAIL),
        ("EDIT-ASP-004", Verdict.FAIL),
        ("EDIT-RSP-001", Verdict.FAIL),
    ],
)
def test_a_server_that_knows_the_schema_passes_that_and_no_more(rule: str, verdict: Verdict) -> None:
    assert verdicts(judged(schema_only, 3))[rule] is verdict


def test_it_is_not_conforming_and_the_suite_itself_is_whole() -> None:
    result = judged(schema_only, 3)
    assert result.exit_code == 1
    assert result.counts[Verdict.HARNESS] == 0


# --- good, with five mistakes ------------------------------------------------------------------------------------


def test_a_good_server_with_five_deviations_fails_in_exactly_these() -> None:
    result = judged(with_five_deviations)
    failed = {rule.rule.id: rule.reason for rule in result.having(Verdict.FAIL)}
    assert set(failed) == {*FIVE_DEVIATIONS, *FOLLOWING}, failed
    assert result.counts[Verdict.HARNESS] == 0
    assert result.counts[Verdict.PASS] > 150
    assert result.exit_code == 1


def test_listed_deviations_are_expected_and_no_longer_fail_the_run() -> None:
    listed = tuple((rule, "known since the first run") for rule in FIVE_DEVIATIONS)
    result = judged(with_five_deviations, 3, FIVE_DEVIATIONS, listed)
    assert {rule.rule.id for rule in result.having(Verdict.XFAIL)} == set(FIVE_DEVIATIONS)
    assert result.exit_code == 0


def test_a_deviation_that_was_mended_makes_the_list_stale() -> None:
    listed = (("EDIT-PRM-001", "was broken once"),)
    result = judged(with_five_deviations, 1, ("EDIT-PRM-*",), listed)
    assert verdicts(result)["EDIT-PRM-001"] is Verdict.STALE
    assert result.exit_code == 1


def test_rules_of_a_mocks_own_are_never_asked_of_a_foreign_server() -> None:
    for rule in judged(with_five_deviations).rules:
        if rule.rule.cost == "mock":
            assert rule.verdict is Verdict.NA, rule.rule.id


def test_what_was_not_seen_is_told_and_not_passed() -> None:
    result = judged(with_five_deviations)
    for rule in result.rules:
        if rule.verdict is Verdict.PASS:
            assert any(case.verdict is Verdict.PASS for case in rule.cases), rule.rule.id
            assert not any(case.verdict in NOT_SEEN for case in rule.cases), rule.rule.id
