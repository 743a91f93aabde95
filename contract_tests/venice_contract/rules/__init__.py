"""All checks and invariants, by group. The list below is the suite: nothing registers itself.

A module's checks are the ``Check`` and ``Invariant`` objects among its names, in the order of definition.
"""

from __future__ import annotations

from types import ModuleType

from venice_contract.judging.check import Check, Invariant
from venice_contract.rules import (
    additions,
    authentication,
    billing,
    bodies,
    charges,
    connections,
    differences,
    discovery,
    errors,
    formats,
    holds,
    image_limits,
    image_urls,
    images,
    inference,
    invariants,
    ledgers,
    limits,
    magic_keys,
    models,
    models_listing,
    precedence,
    prompts,
    qualities,
    ratios,
    responses,
    safety,
    settlements,
    shortages,
    sign_in,
    sign_in_garbage,
    statements,
    steering,
    tiers,
    top_up_refusals,
    top_ups,
    transport,
    wallets,
    wordings,
)

MODULES: tuple[ModuleType, ...] = (
    invariants,
    transport,
    bodies,
    connections,
    errors,
    wordings,
    prompts,
    models,
    images,
    image_limits,
    image_urls,
    ratios,
    inference,
    tiers,
    formats,
    qualities,
    safety,
    additions,
    responses,
    limits,
    authentication,
    wallets,
    sign_in,
    sign_in_garbage,
    discovery,
    shortages,
    precedence,
    charges,
    holds,
    top_ups,
    top_up_refusals,
    settlements,
    statements,
    ledgers,
    models_listing,
    billing,
    magic_keys,
    steering,
    differences,
)


def all_checks() -> tuple[Check, ...]:
    """Every check, in the order of the modules."""
    return tuple(found for module in MODULES for found in vars(module).values() if isinstance(found, Check))


def all_invariants() -> tuple[Invariant, ...]:
    """Every invariant."""
    return tuple(
        found for module in MODULES for found in vars(module).values() if isinstance(found, Invariant)
    )
