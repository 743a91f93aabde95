"""Judges one rule after the other on one open connection: what the pytest plugin needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from venice_contract.judging.facts import Facts
from venice_contract.rules import all_checks, all_invariants
from venice_contract.running.judging import Scope
from venice_contract.running.limits import Stopped
from venice_contract.running.opening import HOME_EDITION, Opened, Options, opened
from venice_contract.running.plan import Plan, chosen_rules, make_plan
from venice_contract.running.results import CaseResult, RuleResult
from venice_contract.running.runner import Watch, rule_result, run_planned, search
from venice_mock.contract import load_edition


def rules_in_order(edition: str, level: str, only: Sequence[str]) -> list[str]:
    """The ids of the rules that are chosen; those that every exchange shows come last."""
    rules = [rule.id for rule in chosen_rules(Facts(load_edition(edition or HOME_EDITION)), level, only)]
    late = {each.rule for each in all_invariants()}
    return sorted(rules, key=lambda rule: rule in late)


@dataclass
class SingleRules:
    """An open bench with its plan. ``stopped``: why nothing more is sent."""

    ready: Opened
    plan: Plan
    watch: Watch
    scope: Scope
    seed: int
    stopped: str = ""

    @classmethod
    @contextmanager
    def open(cls, options: Options, scope: Scope) -> Iterator[SingleRules]:
        """Knock and plan. Raises OpeningError."""
        with opened(options) as ready:
            bench = ready.bench
            plan = make_plan(
                bench.facts,
                all_checks(),
                all_invariants(),
                ready.profile,
                level=scope.level,
                only=scope.only,
                in_process=bench.transport.in_process,
                steerable=bench.steerable,
            )
            watch = Watch(bench.facts, all_invariants(), bench)
            bench.watchers = (watch,)
            yield cls(ready, plan, watch, scope, options.seed)

    def judge(self, rule_id: str) -> RuleResult:
        """The verdict on one rule."""
        bench = self.ready.bench
        cases: list[CaseResult] = []
        try:
            if not self.stopped:
                for case in self.plan.cases:
                    if case.rule.id == rule_id:
                        cases.append(run_planned(bench, case, self.watch))
                for check in self.plan.searches:
                    if check.rule == rule_id:
                        cases.append(search(bench, check, self.ready.profile, self.watch, seed=self.seed))
        except Stopped as stop:
            self.stopped = bench.redactor.text(str(stop))
        cases += [case for case in self.watch.results() if case.rule == rule_id]
        rule = bench.facts.rule(rule_id)
        return rule_result(self.plan, rule, cases, bench, self.stopped, self.scope.deviations)
