"""Runs a plan: every case on a probe of its own, then the searches; what comes of it becomes a RunResult.

Reads straight down from ``run``. Nothing a server does may end it early but what ``limits.Stopped`` names.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from venice_contract.judging.bench import Bench
from venice_contract.judging.check import Check, Invariant
from venice_contract.judging.control import ControlError
from venice_contract.judging.expect import Broken, Masked, NotApplicable, UntestedCost, UntestedCredential
from venice_contract.judging.probe import Probe, probing
from venice_contract.pictures.look import NotAPicture
from venice_contract.running.limits import Stopped
from venice_contract.running.plan import Case, Plan
from venice_contract.running.profiles import Profile
from venice_contract.running.results import CaseResult, RuleResult, RunResult, Verdict, verdict_of_rule, worst
from venice_contract.wire.message import BadReply, Exchange, TransportFault
from venice_mock.contract import Rule

_KEPT_EXCHANGES = 8  # of a case that passed; a failed one keeps more
_KEPT_FAILED = 24
_KEPT_BODY = 6 << 20  # bytes of an answer that a passed case keeps
_MOST_VIOLATIONS = 5  # of one invariant: the first ones say it all

Progress = Callable[[str, Verdict], None]


@dataclass
class Watch:
    """Looks at every exchange of a run with every invariant, and remembers what broke, and where."""

    facts: Any
    invariants: Sequence[Invariant]
    bench: Bench | None = None
    seen: dict[str, int] = field(default_factory=dict)
    broken: dict[str, list[CaseResult]] = field(default_factory=dict)
    case: str = ""
    value: Any = None

    def __call__(self, exchange: Exchange) -> None:
        """One exchange."""
        for invariant in self.invariants:
            try:
                if invariant.look(exchange, self.facts):
                    self.seen[invariant.id] = self.seen.get(invariant.id, 0) + 1
            except (Broken, BadReply) as error:
                found = self.broken.setdefault(invariant.id, [])
                if len(found) < _MOST_VIOLATIONS:
                    kept = (exchange,) if self.bench is None else (self.bench.redactor.exchange(exchange),)
                    sentence = f"{error} (met in {self.case})"
                    found.append(
                        CaseResult(
                            invariant.id,
                            invariant.rule,
                            {"met_in": self.case, "value": self.value},
                            Verdict.FAIL,
                            sentence,
                            "invariant",
                            kept,
                        )
                    )

    def results(self) -> list[CaseResult]:
        """One PASS for each invariant that was seen and held, one FAIL for each violation kept."""
        found: list[CaseResult] = []
        for invariant in self.invariants:
            if invariant.id in self.broken:
                found += self.broken[invariant.id]
            elif count := self.seen.get(invariant.id):
                note = f"held on {count} exchanges"
                found.append(
                    CaseResult(invariant.id, invariant.rule, None, Verdict.PASS, "", "invariant", (), (note,))
                )
        return found


def run(
    bench: Bench,
    plan: Plan,
    profile: Profile,
    watch: Watch,
    *,
    seed: int,
    server: str,
    started: str,
    deviations: Mapping[str, str] | None = None,
    progress: Progress = lambda _check, _verdict: None,
) -> RunResult:
    """Run every case of ``plan``. ``deviations``: rule -> why it may fail. ``progress`` is told of each case."""
    began, stopped = time.monotonic(), ""
    results: list[CaseResult] = []
    try:
        for case in plan.cases:
            results.append(run_planned(bench, case, watch))
            progress(results[-1].check, results[-1].verdict)
        for check in plan.searches:
            results.append(search(bench, check, profile, watch, seed=seed))
            progress(results[-1].check, results[-1].verdict)
    except Stopped as stop:
        stopped = str(stop)
    except KeyboardInterrupt:
        stopped = "it was interrupted"
    results += watch.results()
    rules = tuple(rule_result(plan, rule, results, bench, stopped, deviations or {}) for rule in plan.rules)
    sides: dict[str, set[str]] = {}
    for result in results:
        for difference, seen in result.sides.items():
            sides.setdefault(difference, set()).update(seen)
    return RunResult(
        target=bench.target.name,
        server=server,
        edition=bench.facts.edition.edition,
        accepted=bench.facts.accepted,
        profile=profile.name,
        seed=seed,
        started=started,
        seconds=time.monotonic() - began,
        rules=rules,
        spent=bench.meter.spent,
        budget=bench.meter.limit,
        requests=bench.requests,
        stopped=bench.redactor.text(stopped),
        sides={difference: tuple(sorted(seen)) for difference, seen in sorted(sides.items())},
        waited_s=bench.pacer.waited_s,
    )


def run_value(bench: Bench, check: Check, value: Any, watch: Watch, source: str = "witness") -> CaseResult:
    """One check with one value. Raises Stopped, and nothing else that a server could cause."""
    watch.case, watch.value = check.id, value
    began, spent = time.monotonic(), bench.meter.spent
    with probing(bench) as probe:
        verdict, sentence = _judged(check, probe, value)
        result = _result(bench, check, value, verdict, sentence, probe, source)
    return replace(result, seconds=time.monotonic() - began, spent=bench.meter.spent - spent)


def search(bench: Bench, check: Check, profile: Profile, watch: Watch, *, seed: int) -> CaseResult:
    """Let Hypothesis look for a value that breaks the check.

    A failure is shrunk, so its result holds the smallest value found. It is PASS only when some value was
    really judged. Raises Stopped.
    """
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    assert check.strategy is not None
    broken: list[CaseResult] = []
    seen: list[CaseResult] = []
    stops: list[Stopped] = []

    def once(value: Any) -> None:
        if stops:  # Hypothesis would try it again, and send more to a server that must be left alone
            return
        try:
            result = run_value(bench, check, value, watch, "generated")
        except Stopped as stop:
            stops.append(stop)
            return
        if result.verdict in (Verdict.FAIL, Verdict.HARNESS):
            broken[:] = [result]  # Hypothesis ends with the smallest failing value
            raise Broken(result.sentence)
        seen.append(result)

    chosen = settings(
        max_examples=profile.examples,
        deadline=None,
        database=None,
        derandomize=profile.derandomized,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    began, spent = time.monotonic(), bench.meter.spent
    failed: str | None = None
    try:
        test = chosen(given(check.strategy(bench.facts))(once))
        if not profile.derandomized:
            test = seeded(seed)(test)
        test()
    except Exception as error:  # noqa: BLE001 - Broken from above, Hypothesis's own, or a fault of the strategy
        failed = f"{type(error).__name__}: {error}"
    if stops:  # what was broken then may be no more than a server that is gone
        raise stops[0]
    if broken:
        return broken[0]
    verdicts = {result.verdict for result in seen}
    verdict = Verdict.PASS if Verdict.PASS in verdicts else worst(verdicts)
    sentence = next((result.sentence for result in seen if result.verdict is verdict), "")
    if failed is not None:
        verdict, sentence = Verdict.HARNESS, bench.redactor.text(failed)
    judged = sum(result.verdict is Verdict.PASS for result in seen)
    return CaseResult(
        check.id,
        check.rule,
        None,
        verdict,
        sentence,
        "generated",
        notes=(f"{judged} generated values",),
        spent=bench.meter.spent - spent,
        seconds=time.monotonic() - began,
    )


def run_planned(bench: Bench, case: Case, watch: Watch) -> CaseResult:
    """One planned case, unless it would cost what may not be spent. Raises Stopped."""
    if case.predicted and not bench.purse.may_succeed:
        return CaseResult(
            case.check.id, case.rule.id, case.value, Verdict.UNTESTED_COST, "this profile spends nothing"
        )
    if not bench.meter.can_spend(case.predicted):
        told = f"it would cost ${case.predicted}, more than is left of the budget"
        return CaseResult(case.check.id, case.rule.id, case.value, Verdict.UNTESTED_COST, told)
    return run_value(bench, case.check, case.value, watch)


def _judged(check: Check, probe: Probe, value: Any) -> tuple[Verdict, str]:
    try:
        check.run(probe, value)
    except (Broken, BadReply) as error:
        return Verdict.FAIL, str(error)
    except NotAPicture as error:
        return Verdict.FAIL, f"the answer is no picture: {error}"
    except TransportFault as fault:  # of the control plane: the probe tells those of the API as Broken
        probe.bench.no_answer(fault)
        return Verdict.HARNESS, str(fault)
    except Masked as error:
        return Verdict.MASKED, str(error)
    except NotApplicable as error:
        return Verdict.NA, str(error)
    except UntestedCost as error:
        return Verdict.UNTESTED_COST, str(error)
    except UntestedCredential as error:
        return Verdict.UNTESTED_CREDENTIAL, str(error)
    except (Stopped, KeyboardInterrupt):
        raise
    except ControlError as error:
        return Verdict.HARNESS, str(error)
    except Exception as error:  # noqa: BLE001 - whatever else a check raises is a fault of the suite, and is told as one
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict.HARNESS, f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return Verdict.PASS, ""


def _result(
    bench: Bench, check: Check, value: Any, verdict: Verdict, sentence: str, probe: Probe, source: str
) -> CaseResult:
    failed = verdict in (Verdict.FAIL, Verdict.HARNESS)
    kept = probe.exchanges[-_KEPT_FAILED:] if failed else probe.exchanges[:_KEPT_EXCHANGES]
    if source == "generated" and not failed:
        kept = []
    exchanges = tuple(bench.redactor.exchange(_trimmed(exchange)) for exchange in kept)
    notes = tuple(bench.redactor.text(note) for note in probe.notes)
    return CaseResult(
        check.id,
        check.rule,
        value,
        verdict,
        bench.redactor.text(sentence),
        source,
        exchanges,
        notes,
        dict(probe.sides),
    )


def _trimmed(exchange: Exchange) -> Exchange:
    """The exchange without a request body of megabytes: a case file has the value that makes it again."""
    request, reply = exchange.request, exchange.reply
    if len(request.body) > _KEPT_BODY:
        request = replace(request, body=request.body[:1024])
    if reply is not None and len(reply.body) > _KEPT_BODY:
        reply = replace(reply, body=reply.body[:1024])
    return Exchange(request, reply, exchange.fault, exchange.label)


def rule_result(
    plan: Plan,
    rule: Rule,
    results: Sequence[CaseResult],
    bench: Bench,
    stopped: str,
    deviations: Mapping[str, str],
) -> RuleResult:
    """The verdict on one rule. ``stopped``: why the run ended early, if it did."""
    cases = [result for result in results if result.rule == rule.id]
    if not cases:
        if rule.id in plan.not_tried:
            verdict = Verdict.UNTESTED_COST if _is_cost(plan.not_tried[rule.id]) else Verdict.NA
            return RuleResult(rule, verdict, (), plan.not_tried[rule.id])
        if stopped:
            return RuleResult(rule, Verdict.HARNESS, (), f"not reached: {stopped}")
        return RuleResult(rule, Verdict.NA, (), "nothing in this run shows it")
    return verdict_of_rule(rule, cases, foreign=not bench.steerable, deviation=deviations.get(rule.id))


def _is_cost(reason: str) -> bool:
    return reason.startswith("the profile")
