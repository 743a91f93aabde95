"""The numbers and lists that several reports show: counts per group, failing cases, differences seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from venice_contract.running.results import NOT_SEEN, CaseResult, RuleResult, RunResult, Verdict
from venice_mock.contract import ContractError, load_edition

FAILED_CASE = frozenset({Verdict.FAIL, Verdict.HARNESS})
WRONG = (Verdict.FAIL, Verdict.STALE, Verdict.HARNESS)


@dataclass(frozen=True, slots=True)
class Tally:
    """Rules counted. ``must``, ``should`` and ``may``: passed, and how many could be shown at all (all but N/A).

    ``failed`` has FAIL and STALE, ``untested`` has MASKED and both kinds of UNTESTED; nothing is counted twice.
    """

    name: str
    must: tuple[int, int]
    should: tuple[int, int]
    may: tuple[int, int]
    passed: int
    failed: int
    harness: int
    untested: int
    warned: int
    expected: int
    observed: int
    not_applicable: int

    @property
    def rules(self) -> int:
        """All of them."""
        return (
            self.passed + self.failed + self.harness + self.untested + self.warned + self.expected
            + self.observed + self.not_applicable
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """One matter in which documentation and measurement differ, and which sides the server agreed with."""

    id: str
    matter: str
    documented: str
    observed: str
    sides: tuple[str, ...]


def tally(name: str, rules: list[RuleResult]) -> Tally:
    """Count these rules."""
    counts = Counter(rule.verdict for rule in rules)

    def of_level(level: str) -> tuple[int, int]:
        here = [r.verdict for r in rules if r.rule.level == level and r.verdict is not Verdict.NA]
        return here.count(Verdict.PASS), len(here)

    return Tally(
        name=name,
        must=of_level("must"),
        should=of_level("should"),
        may=of_level("may"),
        passed=counts[Verdict.PASS],
        failed=counts[Verdict.FAIL] + counts[Verdict.STALE],
        harness=counts[Verdict.HARNESS],
        untested=sum(counts[verdict] for verdict in NOT_SEEN),
        warned=counts[Verdict.WARN],
        expected=counts[Verdict.XFAIL],
        observed=counts[Verdict.OBSERVED],
        not_applicable=counts[Verdict.NA],
    )


def by_group(result: RunResult) -> list[Tally]:
    """One tally for each group, in the order of the edition."""
    groups: dict[str, list[RuleResult]] = {}
    for rule in result.rules:
        groups.setdefault(rule.rule.group, []).append(rule)
    return [tally(name, rules) for name, rules in groups.items()]


def whole(result: RunResult) -> Tally:
    """All rules counted."""
    return tally("all", list(result.rules))


def unreached(result: RunResult) -> list[RuleResult]:
    """The rules that a run which ended early came to no more: nothing of them was sent."""
    return [rule for rule in result.having(Verdict.HARNESS) if not rule.cases]


def wrong_rules(result: RunResult) -> list[RuleResult]:
    """What somebody has to look at, the worst first; without the rules that were not reached."""
    wrong = [rule for rule in result.having(*WRONG) if rule.cases or rule.verdict is not Verdict.HARNESS]
    return sorted(wrong, key=lambda rule: WRONG.index(rule.verdict))


def failing_cases(rule: RuleResult) -> list[CaseResult]:
    """The cases of a rule that failed, whatever became of the rule (a SHOULD that fails is only a WARN)."""
    return [case for case in rule.cases if case.verdict in FAILED_CASE]


def differences_seen(result: RunResult) -> list[Seen]:
    """The differences of the run; their texts are the edition's, and empty for one that it does not have."""
    try:
        rows = {row.id: row for row in load_edition(result.edition).differences}
    except ContractError:
        rows = {}
    found = []
    for name, sides in result.sides.items():
        row = rows.get(name)
        texts = ("", "", "") if row is None else (row.matter, row.documented.text, row.observed.text)
        found.append(Seen(name, *texts, tuple(sides)))
    return found


def unseen_by_reason(result: RunResult) -> dict[str, list[str]]:
    """Why required rules were not seen -> their ids."""
    found: dict[str, list[str]] = {}
    for rule in result.untested:
        found.setdefault(f"{rule.verdict}: {rule.reason}" if rule.reason else str(rule.verdict), []).append(
            rule.rule.id
        )
    return found
