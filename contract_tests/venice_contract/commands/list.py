"""``venice-contract list``: the rules and what trying them would cost. Sends nothing."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from decimal import Decimal
from typing import Any

from venice_contract.commands.options import add_contract, command_parser, edition_name
from venice_contract.judging.facts import Facts
from venice_contract.rules import all_checks, all_invariants
from venice_contract.running.opening import HOME_EDITION
from venice_contract.running.plan import Plan, make_plan
from venice_contract.running.profiles import NAMES, PROFILES
from venice_mock.contract import load_edition

EXAMPLES = """\
  venice-contract list --level must
  venice-contract list --cost --profile real
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("list", "The rules of an edition, and what a run would try and spend.", EXAMPLES)
    add_contract(made)
    made.add_argument(
        "--profile", choices=NAMES, default="real", help="whose cases are counted (default real)"
    )
    made.add_argument(
        "--cost", action="store_true", help="only rules whose cases cost money, dearest last, and the sum"
    )
    made.add_argument("--json", action="store_true", help="as JSON")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the list."""
    facts = Facts(load_edition(edition_name(arguments.edition) or HOME_EDITION), arguments.behavior or "any")
    profile = PROFILES[arguments.profile]
    plan = make_plan(
        facts,
        all_checks(),
        all_invariants(),
        profile,
        level=arguments.level,
        only=arguments.only,
        steerable=not profile.careful,
    )
    rows = _rows(plan)
    if arguments.cost:
        rows = sorted((row for row in rows if row["usd"] != "0"), key=lambda row: Decimal(row["usd"]))
    if arguments.json:
        told = {
            "edition": facts.edition.edition,
            "profile": profile.name,
            "usd": _usd(plan.predicted),
            "rules": rows,
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    print(f"{'rule':<14} {'level':<8} {'cost class':<13} {'certainty':<11} {'cases':>5} {'USD':>7}  source")
    print(f"{'-' * 14} {'-' * 8} {'-' * 13} {'-' * 11} {'-' * 5} {'-' * 7}  {'-' * 30}")
    for row in rows:
        cases = "-" if row["not_tried"] else str(row["cases"]) if row["cases"] else "all"
        print(
            f"{row['id']:<14} {row['level']:<8} {row['cost']:<13} {row['certainty']:<11} {cases:>5} "
            f"{row['usd'] if row['usd'] != '0' else '':>7}  {row['source']}"
        )
    classes = Counter(case.rule.cost for case in plan.cases)
    counted = ", ".join(f"{count} {name}" for name, count in classes.items())
    print()
    print(f"{len(rows)} rules; profile {profile.name} would run {len(plan.cases)} cases ({counted}).")
    print(f"A conforming server would charge {_usd(plan.predicted)} USD for all of them.")
    if any(not row["cases"] and not row["not_tried"] for row in rows):
        print("`all`: seen on every exchange of every other case. `-`: not tried in this profile.")
    return 0


def _rows(plan: Plan) -> list[dict[str, Any]]:
    cases = Counter(case.rule.id for case in plan.cases)
    costs: dict[str, Decimal] = {}
    for case in plan.cases:
        costs[case.rule.id] = costs.get(case.rule.id, Decimal(0)) + case.predicted
    return [
        {
            "id": rule.id,
            "level": rule.level,
            "cost": rule.cost,
            "certainty": rule.certainty,
            "source": rule.source,
            "cases": cases[rule.id],
            "usd": _usd(costs.get(rule.id, Decimal(0))),
            "not_tried": plan.not_tried.get(rule.id, ""),
            "text": rule.text,
        }
        for rule in plan.rules
    ]


def _usd(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
