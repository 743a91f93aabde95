"""Judges one rule after the other on one open connection: what the pytest plugin needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from venice_contract.judging.facts import Facts
from venice_contract.rules import all_checks, all_invariants
from venice_contract.running.judging import Scope
from venice_contract.running.limits import Stopped
from venice_contract.running.opening import HOME_EDITION, Opened, Options, opened
from venice_contract.running.plan import Plan, chosen_rules, make_plan
from venice_contract.running.results import CaseResult, Verdict, verdict_of_rule
from venice_contract.running.runner import Watch, run_planned, search
from venice_contract.wire.curl import curl_line
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
    results: dict[str, list[CaseResult]] = field(default_factory=dict)

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

    def judge(self, rule_id: str) -> tuple[Verdict, str]:
        """The verdict on one rule, and a text for the report: why, and the request as a curl line."""
        bench = self.ready.bench
        rule = bench.facts.rule(rule_id)
        cases: list[CaseResult] = []
        try:
            if not self.stopped:
                cases = [
                    run_planned(bench, case, self.watch)
                    for case in self.plan.cases
                    if case.rule.id == rule_id
                ]
                for check in self.plan.searches:
                    if check.rule == rule_id:
                        cases.append(search(bench, check, self.ready.profile, self.watch, seed=self.seed))
        except Stopped as stop:
            self.stopped = str(stop)
        cases += [case for case in self.watch.results() if case.rule == rule_id]
        if not cases:
            why = self.plan.not_tried.get(rule_id) or self.stopped or "nothing in this run shows it"
            return (Verdict.HARNESS if self.stopped else Verdict.NA), why
        found = verdict_of_rule(
            rule, cases, foreign=not bench.steerable, deviation=self.scope.deviations.get(rule_id)
        )
        return found.verdict, f"{rule.text}\n{found.reason}{self._curl(found.cases)}"

    def _curl(self, cases: Sequence[CaseResult]) -> str:
        target = self.ready.bench.target
        for case in cases:
            if case.verdict is Verdict.FAIL and case.exchanges:
                return "\n" + curl_line(case.exchanges[-1].request, target.base_url, target.origin)
        return ""
