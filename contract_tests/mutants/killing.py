"""Runs the suite against mutants and says which died of what. Reads straight down from ``kill``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mutants.kit import Mutant
from venice_contract.judging.check import Check
from venice_contract.rules import all_checks
from venice_contract.running.judging import Scope, judge
from venice_contract.running.opening import Options
from venice_contract.running.results import RuleResult, Verdict
from venice_contract.wire.target import read_target

_FAILED = (Verdict.FAIL, Verdict.WARN)
# Rules whose checks take most of the time, with many edits or large pictures. What falls over with a mutant is
# looked for among all others; these are tried where they are declared.
_WEIGHTY = frozenset(
    """
    EDIT-RATE-001 EDIT-RATE-005 EDIT-RATE-006 EDIT-RATE-007 EDIT-SAFE-002 EDIT-SAFE-015 EDIT-RSP-007 EDIT-HTTP-022
    EDIT-HTTP-023 EDIT-HTTP-024 EDIT-IMG-003 EDIT-IMG-013 EDIT-IMG-016 EDIT-IMG-017 EDIT-IMG-018 EDIT-IMG-023
    EDIT-IMG-029 EDIT-IMG-035 EDIT-PAY-027 EDIT-FMT-005 X402-BAL-005 X402-TXN-005
    """.split()  # noqa: SIM905 - a list of words is easier to read
)
_EXAMPLES = 25  # of a search, for a mutant that no fixed witness kills


@dataclass(frozen=True, slots=True)
class Kill:
    """What became of one mutant. ``others``: rules that failed beside its own and that it does not declare.

    ``undeclared`` stays empty when only the mutant's own rule was tried.
    """

    mutant: Mutant
    killed: bool
    sentence: str
    others: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    harness: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Killed by its own rule, and nothing else failed but what it declares."""
        return self.killed and not self.others and not self.missing and not self.harness


def kill(mutant: Mutant, *, whole: bool) -> Kill:
    """Judge a mutant by its own rule, and, when ``whole``, by all others too.

    The others are tried with the first value of each of their light checks: enough to see what falls over.
    """
    try:
        own = _judged(mutant, (mutant.rule,), examples=0, heavy=True)
    except (AttributeError, ImportError, LookupError) as error:  # what it breaks is not where it was
        return Kill(mutant, killed=False, sentence=f"it cannot be made: {error!r}")
    if not any(result.verdict in _FAILED for result in own):
        own = _judged(mutant, (mutant.rule,), examples=_EXAMPLES, heavy=True)
    killed = any(result.verdict in _FAILED for result in own)
    sentence = next((f"{r.verdict}: {r.reason}" for r in own), "no such rule")
    harness = tuple(f"{r.rule.id}: {r.reason}" for r in own if r.verdict is Verdict.HARNESS)
    if not whole:
        return Kill(mutant, killed, sentence, harness=harness)
    every = _judged(mutant, (), examples=0, heavy=False, most_witnesses=1, checks=_light_checks)
    failed = {r.rule.id for r in every if r.verdict in _FAILED}
    harness += tuple(f"{r.rule.id}: {r.reason}" for r in every if r.verdict is Verdict.HARNESS)
    missing = set(mutant.follows) - failed
    if missing:  # one value may not be enough to see it
        again = _judged(mutant, (*missing, mutant.rule), examples=0, heavy=True)
        missing -= {r.rule.id for r in again if r.verdict in _FAILED}
    return Kill(
        mutant,
        killed,
        sentence,
        others=tuple(sorted(failed - {mutant.rule} - set(mutant.follows))),
        missing=tuple(sorted(missing)),
        harness=harness,
    )


def _light_checks() -> tuple[Check, ...]:
    return tuple(check for check in all_checks() if check.rule not in _WEIGHTY)


def _judged(
    mutant: Mutant,
    only: tuple[str, ...],
    *,
    examples: int,
    heavy: bool,
    most_witnesses: int | None = None,
    checks: Callable[[], tuple[Check, ...]] = all_checks,
) -> tuple[RuleResult, ...]:
    with mutant.app() as app:
        target = read_target(f"mutant of {mutant.rule}", app)
        options = Options(target, "ci", mutant.edition, mutant.behavior)
        scope = Scope(only=only, examples=examples, heavy=heavy, most_witnesses=most_witnesses, checks=checks)
        return judge(options, scope, environ={}).rules


@contextmanager
def without_settings() -> Iterator[None]:
    """No VENICE_MOCK_ variable of the caller's reaches the mutants."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("VENICE_MOCK_")}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)
