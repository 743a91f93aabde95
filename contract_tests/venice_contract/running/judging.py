"""One call from options to result: what the command, the pytest plugin and the suite's own tests share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from venice_contract.judging.check import Check, Invariant
from venice_contract.rules import all_checks, all_invariants
from venice_contract.running.opening import HOME_EDITION, Opened, Options, opened, profile_for
from venice_contract.running.plan import Plan, make_plan
from venice_contract.running.results import RunResult, Verdict
from venice_contract.running.runner import Watch, run


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the suite is run. ``examples``, ``heavy`` and ``most_witnesses`` None: as the profile says."""

    level: str = "all"
    only: Sequence[str] = ()
    examples: int | None = None
    heavy: bool | None = None
    most_witnesses: int | None = None
    deviations: Mapping[str, str] = field(default_factory=dict)
    checks: Callable[[], tuple[Check, ...]] = all_checks
    invariants: Callable[[], tuple[Invariant, ...]] = all_invariants


def not_begun(
    options: Options, reason: str, code: int, *, wall_clock: Callable[[], float] = time.time
) -> RunResult:
    """The result of a run that could not begin: no rule was looked at. ``code``: its exit code."""
    return RunResult(
        target=options.target.name,
        server="unknown",
        edition=options.edition or HOME_EDITION,
        accepted=options.accepted or "any",
        profile=profile_for(options).name,
        seed=options.seed,
        started=_iso(wall_clock()),
        seconds=0.0,
        rules=(),
        spent=Decimal(0),
        budget=options.budget,
        requests=0,
        stopped=reason,
        opening_code=code,
    )


def judge(
    options: Options,
    scope: Scope = Scope(),
    *,
    environ: Mapping[str, str] = os.environ,
    wall_clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    approve: Callable[[Plan, Opened], None] = lambda _plan, _opened: None,
    progress: Callable[[str, Verdict], None] = lambda _check, _verdict: None,
) -> RunResult:
    """Judge a server. ``approve`` sees the plan before anything but the knock was sent, and may raise.

    Raises OpeningError when the run cannot begin.
    """
    started = _iso(wall_clock())
    with opened(options, environ=environ, wall_clock=wall_clock, monotonic=monotonic, sleep=sleep) as ready:
        bench, profile = ready.bench, ready.profile
        if scope.examples is not None:
            profile = replace(profile, examples=scope.examples)
        if scope.heavy is not None:
            profile = replace(profile, heavy=scope.heavy)
        if scope.most_witnesses is not None:
            profile = replace(profile, most_witnesses=scope.most_witnesses)
        invariants = scope.invariants()
        plan = make_plan(
            bench.facts,
            scope.checks(),
            invariants,
            profile,
            level=scope.level,
            only=scope.only,
            in_process=bench.transport.in_process,
            steerable=bench.steerable,
        )
        approve(plan, ready)
        watch = Watch(bench.facts, invariants, bench)
        bench.watchers = (watch,)
        return run(
            bench,
            plan,
            profile,
            watch,
            seed=options.seed,
            server=ready.server,
            started=started,
            deviations=scope.deviations,
            progress=progress,
        )


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
