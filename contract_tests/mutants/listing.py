"""The list of all mutants, the rules that none can be made of, and the kill table. Nothing registers itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType

from mutants import models_listing
from mutants.killing import Kill
from mutants.kit import Mutant

MODULES: tuple[ModuleType, ...] = (models_listing,)


def all_mutants() -> tuple[Mutant, ...]:
    """Every mutant, in the order of the modules."""
    return tuple(mutant for module in MODULES for mutant in module.MUTANTS)


def never_mutated() -> Mapping[str, str]:
    """MUST rules of which no mutant can be made, each with the reason."""
    return {rule: why for module in MODULES for rule, why in getattr(module, "NO_MUTANT", {}).items()}


def table(kills: Iterable[Kill]) -> str:
    """The kill table as Markdown."""
    rows = [
        "# The suite bites",
        "",
        "Made by `make mutants`: for each rule below a server with that one rule broken, which the suite must",
        "refuse naming that rule, and no other but those that necessarily follow.",
        "",
        "| rule | what was broken | killed | follows |",
        "|---|---|---|---|",
    ]
    for kill in sorted(kills, key=lambda k: (k.mutant.rule, k.mutant.text)):
        killed = "yes" if kill.is_clean else "**no**"
        rows.append(f"| {kill.mutant.rule} | {kill.mutant.text} | {killed} | {' '.join(kill.mutant.follows)} |")
    reasons = never_mutated()
    if reasons:
        rows += ["", "## MUST rules without a mutant", "", "| rule | why |", "|---|---|"]
        rows += [f"| {rule} | {why} |" for rule, why in sorted(reasons.items())]
    return "\n".join(rows) + "\n"
