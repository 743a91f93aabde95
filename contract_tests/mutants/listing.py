"""The list of all mutants, the rules that none can be made of, and the kill table. Nothing registers itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType

from mutants import (
    additions,
    authentication,
    billing,
    charges,
    discovery,
    errors,
    everywhere,
    formats,
    image_limits,
    image_urls,
    images,
    limits,
    models,
    models_listing,
    prompts,
    qualities,
    ratios,
    responses,
    safety,
    sign_in,
    statements,
    steering,
    tiers,
    top_up_refusals,
    top_ups,
    transport,
)
from mutants.killing import Kill, kill
from mutants.kit import Mutant

MODULES: tuple[ModuleType, ...] = (
    everywhere,
    transport,
    errors,
    prompts,
    models,
    images,
    image_limits,
    image_urls,
    ratios,
    tiers,
    formats,
    qualities,
    safety,
    additions,
    responses,
    limits,
    authentication,
    sign_in,
    discovery,
    charges,
    top_ups,
    top_up_refusals,
    statements,
    models_listing,
    billing,
    steering,
)


def all_mutants() -> tuple[Mutant, ...]:
    """Every mutant, in the order of the modules."""
    return tuple(mutant for module in MODULES for mutant in module.MUTANTS)


def never_mutated() -> Mapping[str, str]:
    """MUST rules of which no mutant can be made, each with the reason."""
    return {rule: why for module in MODULES for rule, why in getattr(module, "NO_MUTANT", {}).items()}


def kill_numbered(
    job: tuple[int, bool],
) -> tuple[int, bool, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Kill the mutant of that number, in whatever process: mutants themselves cannot travel, their numbers can."""
    number, whole = job
    done = kill(all_mutants()[number], whole=whole)
    return number, done.killed, done.sentence, done.others, done.missing, done.harness


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
    for done in sorted(kills, key=lambda k: (k.mutant.rule, k.mutant.text)):
        killed = "yes" if done.is_clean else "**no**"
        rows.append(
            f"| {done.mutant.rule} | {done.mutant.text} | {killed} | {' '.join(done.mutant.follows)} |"
        )
    reasons = never_mutated()
    if reasons:
        rows += ["", "## MUST rules without a mutant", "", "| rule | why |", "|---|---|"]
        rows += [f"| {rule} | {why} |" for rule, why in sorted(reasons.items())]
    return "\n".join(rows) + "\n"
