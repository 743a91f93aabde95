"""What came of a run: cases, rules, the whole. Only shapes and the arithmetic of verdicts live here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from venice_contract.wire.message import Exchange
from venice_mock.contract import Rule


class Verdict(StrEnum):
    """What is said of a case or of a rule."""

    PASS = "PASS"
    FAIL = "FAIL"
    WARN = "WARN"
    XFAIL = "XFAIL"
    STALE = "STALE"
    OBSERVED = "OBSERVED"
    NA = "N/A"
    UNTESTED_COST = "UNTESTED-COST"
    UNTESTED_CREDENTIAL = "UNTESTED-CREDENTIAL"
    MASKED = "MASKED"
    HARNESS = "HARNESS"


# The worst first: a rule is worth what its worst case is worth. N/A counts only where nothing else does.
WORST = (
    Verdict.FAIL, Verdict.HARNESS, Verdict.MASKED, Verdict.UNTESTED_CREDENTIAL, Verdict.UNTESTED_COST,
    Verdict.WARN, Verdict.OBSERVED, Verdict.PASS, Verdict.NA,
)  # fmt: skip
NOT_SEEN = frozenset({Verdict.MASKED, Verdict.UNTESTED_COST, Verdict.UNTESTED_CREDENTIAL})


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One check with one value. ``sentence`` says why it is not PASS; ``notes`` what was seen.

    ``exchanges`` are redacted. ``sides``: difference -> which behaviours the answer agreed with.
    """

    check: str
    rule: str
    value: Any
    verdict: Verdict
    sentence: str = ""
    source: str = "witness"  # or "generated", or "invariant"
    exchanges: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()
    sides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spent: Decimal = Decimal(0)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule with all its cases. ``reason``: why this verdict, where it needs one."""

    rule: Rule
    verdict: Verdict
    cases: tuple[CaseResult, ...]
    reason: str = ""

    @property
    def is_untested(self) -> bool:
        """Whether it is a MUST or SHOULD that was not seen."""
        return self.verdict in NOT_SEEN and self.rule.level in ("must", "should")

    @property
    def notes(self) -> tuple[str, ...]:
        """What the cases saw, each once."""
        return tuple(dict.fromkeys(note for case in self.cases for note in case.notes))

    @property
    def counts(self) -> Counter[Verdict]:
        """How many cases of each verdict."""
        return Counter(case.verdict for case in self.cases)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A whole run. ``stopped``: why it ended early, if it did. ``started``: ISO 8601, UTC.

    ``opening_code``: the exit code of a run that could not even begin; its reason is ``stopped``.
    """

    target: str
    server: str
    edition: str
    accepted: str
    profile: str
    seed: int
    started: str
    seconds: float
    rules: tuple[RuleResult, ...]
    spent: Decimal
    budget: Decimal | None
    requests: int
    stopped: str = ""
    sides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waited_s: float = 0.0
    opening_code: int | None = None

    @property
    def counts(self) -> Counter[Verdict]:
        """How many rules of each verdict."""
        return Counter(rule.verdict for rule in self.rules)

    def having(self, *verdicts: Verdict) -> list[RuleResult]:
        """The rules of these verdicts, in the order of the edition."""
        return [rule for rule in self.rules if rule.verdict in verdicts]

    @property
    def untested(self) -> list[RuleResult]:
        """The MUST and SHOULD rules that this run did not see."""
        return [rule for rule in self.rules if rule.is_untested]

    @property
    def exit_code(self) -> int:
        """0 conforming, 1 failure or stale deviation, 2 usage or address, 3 nothing wrong but untested, 4 harness."""
        counts = self.counts
        if self.opening_code is not None:
            return self.opening_code
        if self.stopped:
            return 4
        if counts[Verdict.FAIL] or counts[Verdict.STALE]:
            return 1
        if counts[Verdict.HARNESS]:
            return 4
        return 3 if self.untested else 0

    @property
    def conclusion(self) -> str:
        """The run in one sentence."""
        counts = self.counts
        if self.opening_code is not None:
            return f"The run could not begin: {self.stopped}"
        if self.stopped:
            so_far = f" Until then {_rules(counts[Verdict.FAIL])} failed." if counts[Verdict.FAIL] else ""
            return f"Not finished: {self.stopped.rstrip('.')}.{so_far}"
        if counts[Verdict.FAIL]:
            failed = counts[Verdict.FAIL]
            return f"Not conforming: {_rules(failed)} {'fails' if failed == 1 else 'fail'}."
        if counts[Verdict.STALE]:
            stale = counts[Verdict.STALE]
            told = (
                "listed deviation no longer deviates" if stale == 1 else "listed deviations no longer deviate"
            )
            return f"{stale} {told}: off the list with {'it' if stale == 1 else 'them'}."
        if counts[Verdict.HARNESS]:
            return f"The suite itself failed on {_rules(counts[Verdict.HARNESS])}."
        listed = counts[Verdict.XFAIL]
        but_for = f" but for {listed} listed deviation{'s' if listed > 1 else ''}" if listed else ""
        if self.untested:
            unseen = len(self.untested)
            told = f"{unseen} required {'rule was' if unseen == 1 else 'rules were'} not seen"
            return f"Nothing wrong{but_for}, {'and' if listed else 'but'} {told}."
        return f"Conforming{but_for}."


def verdict_of_rule(
    rule: Rule, cases: Sequence[CaseResult], *, foreign: bool, deviation: str | None = None
) -> RuleResult:
    """A rule's verdict from its cases. ``foreign``: no mock that can be steered. ``deviation``: why it may fail.

    A failure is FAIL for MUST, WARN for SHOULD, and only seen for MAY and OBSERVE. On a foreign server a MUST
    that is only supposed (certainty ``assumed``) is a WARN too: nobody promised it there.
    """
    found = worst(case.verdict for case in cases)
    reason = next((case.sentence for case in cases if case.verdict is found and case.sentence), "")
    if found is Verdict.FAIL:
        if rule.level in ("may", "observe"):
            found = Verdict.OBSERVED
        elif rule.level == "should":
            found = Verdict.WARN
        elif foreign and rule.certainty == "assumed":
            found, reason = Verdict.WARN, f"{reason} (the rule is only supposed)"
    elif found is Verdict.PASS and rule.level == "observe":
        found = Verdict.OBSERVED
    if deviation is not None:
        if found in (Verdict.FAIL, Verdict.WARN):
            found, reason = Verdict.XFAIL, f"{deviation}; {reason}"
        elif found is Verdict.PASS:
            found, reason = Verdict.STALE, f"listed as a deviation ({deviation}), and passes"
    return RuleResult(rule, found, tuple(cases), reason)


def _rules(number: int) -> str:
    return "1 rule" if number == 1 else f"{number} rules"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that counts most; N/A when there is none."""
    return min(verdicts, key=WORST.index, default=Verdict.NA)
