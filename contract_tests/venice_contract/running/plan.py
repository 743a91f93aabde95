"""What a run will try, in which order, and what that would cost: the dry run. Sends nothing."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from venice_contract.judging.check import Check, Invariant
from venice_contract.judging.facts import Facts
from venice_contract.running.profiles import Profile
from venice_mock.contract import Rule

_ORDER = {"free": 0, "free-wallet": 1, "free-refusal": 2, "paid": 3, "mock": 4}
_LEVELS = {"must": ("must",), "should": ("must", "should"), "all": ("must", "should", "may", "observe")}


@dataclass(frozen=True, slots=True)
class Case:
    """One check with one fixed value. ``predicted``: USD that a conforming server charges."""

    check: Check
    rule: Rule
    value: Any
    predicted: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """The cases in the order in which they run, the rules chosen, and why some rules are not tried."""

    rules: tuple[Rule, ...]
    cases: tuple[Case, ...]
    searches: tuple[Check, ...]
    not_tried: dict[str, str]

    @property
    def predicted(self) -> Decimal:
        """USD of all cases on a conforming server."""
        return sum((case.predicted for case in self.cases), Decimal(0))


def make_plan(
    facts: Facts,
    checks: Sequence[Check],
    invariants: Iterable[Invariant],
    profile: Profile,
    *,
    level: str = "all",
    only: Sequence[str] = (),
    in_process: bool = False,
    steerable: bool = True,
) -> Plan:
    """Choose rules and cases. ``only``: patterns of rule ids such as ``EDIT-FMT-*``.

    Refusals come before paid cases, and these in the order of their price; a mock's own rules come last.
    """
    rules = chosen_rules(facts, level, only)
    wanted = {rule.id: rule for rule in rules}
    seen = {invariant.rule for invariant in invariants}
    cases: list[Case] = []
    searches: list[Check] = []
    not_tried: dict[str, str] = {}
    tried: set[str] = set()
    for check in checks:
        rule = wanted.get(check.rule)
        if rule is None:
            continue
        reason = _why_not(rule, check, profile, in_process=in_process, steerable=steerable)
        if reason is not None:
            not_tried.setdefault(rule.id, reason)
            continue
        tried.add(rule.id)
        values = list(check.witnesses(facts))[: profile.most_witnesses]
        cases += [Case(check, rule, value, check.spends(facts, value)) for value in values]
        if check.strategy is not None and profile.examples:
            searches.append(check)
    for rule in rules:
        if rule.id not in tried and rule.id not in seen:
            not_tried.setdefault(rule.id, "no check can see it from outside; the mock's own tests show it")
    for rule_id in tried | seen:
        not_tried.pop(rule_id, None)
    cases.sort(key=lambda case: (_ORDER[case.rule.cost], case.predicted))
    return Plan(tuple(rules), tuple(cases), tuple(searches), not_tried)


def chosen_rules(facts: Facts, level: str, only: Sequence[str]) -> list[Rule]:
    """The living rules of a level and of these patterns."""
    patterns = [pattern.upper() for pattern in only]
    return [
        rule
        for rule in facts.edition.active_rules
        if rule.level in _LEVELS[level]
        and (not patterns or any(fnmatch.fnmatchcase(rule.id, pattern) for pattern in patterns))
    ]


def _why_not(rule: Rule, check: Check, profile: Profile, *, in_process: bool, steerable: bool) -> str | None:
    if rule.cost == "mock" and not steerable:
        return "only a mock that can be steered can show it"
    if not profile.tries(rule):
        return f"the profile {profile.name} does not try rules of cost class {rule.cost}"
    if "socket" in check.needs and in_process:
        return "it needs a socket, and the server is in process"
    if check.heavy and not profile.heavy:
        return f"it is too heavy for the profile {profile.name}"
    return None
