"""What a check is: one rule, one function that sends and judges, and the values it is tried with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from venice_contract.judging.facts import Facts

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from venice_contract.judging.probe import Probe
    from venice_contract.wire.message import Exchange

Value = Any  # JSON: what a case file can hold
Need = Literal["socket", "paint"]
Spends = Callable[[Facts, Value], Decimal]


@dataclass(frozen=True, slots=True)
class Check:
    """One way to see one rule.

    ``run`` gets a probe and one value. ``witnesses``: the fixed values, in the order in which they are tried.
    ``strategy``: further values worth searching, of the same kind. ``spends``: USD that a conforming server
    charges at most for one value (the dry run); a check that is only ever refused spends nothing. ``needs``:
    ``socket`` when it sees how bytes travel, ``paint`` when it looks at pixels. ``heavy`` checks take seconds.
    """

    name: str
    rule: str
    run: Callable[[Probe, Value], None]
    text: str
    witnesses: Callable[[Facts], Sequence[Value]]
    strategy: Callable[[Facts], SearchStrategy[Value]] | None = None
    spends: Spends = lambda _facts, _value: Decimal(0)
    needs: frozenset[Need] = frozenset()
    heavy: bool = False

    @property
    def id(self) -> str:
        """Stable name in reports and case files."""
        return f"{self.rule}/{self.name}"


def check(
    rule: str,
    *,
    witnesses: Sequence[Value] | Callable[[Facts], Sequence[Value]] = (None,),
    strategy: Callable[[Facts], SearchStrategy[Value]] | None = None,
    spends: Spends | int | None = None,
    needs: Iterable[Need] = (),
    heavy: bool = False,
) -> Callable[[Callable[[Probe, Value], None]], Check]:
    """Make a function of a probe and a value into a check of ``rule``.

    ``spends`` as a number means so many edits with the cheapest model at its default settings.
    """
    if isinstance(spends, int):
        count = spends

        def spending(facts: Facts, _value: Value) -> Decimal:
            return count * facts.price({"model": facts.cheapest().id})

        price: Spends = spending
    else:
        price = spends or (lambda _facts, _value: Decimal(0))
    tried = witnesses if callable(witnesses) else (lambda _facts: witnesses)

    def made(run: Callable[[Probe, Value], None]) -> Check:
        text = inspect.getdoc(run) or ""
        return Check(run.__name__, rule, run, text, tried, strategy, price, frozenset(needs), heavy)

    return made


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that is seen on every exchange of every case.

    ``look`` returns whether the exchange says anything of the rule, and raises Broken where it breaks it.
    """

    name: str
    rule: str
    look: Callable[[Exchange, Facts], bool]

    @property
    def id(self) -> str:
        """Stable name in reports and case files."""
        return f"{self.rule}/{self.name}"


def invariant(rule: str) -> Callable[[Callable[[Exchange, Facts], bool]], Invariant]:
    """Make a function of an exchange into an invariant of ``rule``."""
    return lambda look: Invariant(look.__name__, rule, look)
