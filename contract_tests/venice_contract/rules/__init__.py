"""All checks and invariants, by group. The list below is the suite: nothing registers itself.

A module's checks are the ``Check`` and ``Invariant`` objects among its names, in the order of definition.
"""

from __future__ import annotations

from types import ModuleType

from venice_contract.judging.check import Check, Invariant
from venice_contract.rules import invariants, models_listing

MODULES: tuple[ModuleType, ...] = (invariants, models_listing)


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order of the modules."""
    return tuple(found for module in MODULES for found in vars(module).values() if isinstance(found, Check))


def all_invariants() -> tuple[Invariant, ...]:
    """Every invariant."""
    return tuple(found for module in MODULES for found in vars(module).values() if isinstance(found, Invariant))
