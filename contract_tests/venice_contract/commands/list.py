"""``venice-contract list``: the rules and what trying them would cost. Sends nothing."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from decimal import Decimal
from typing import Any

from venice_contract.commands.options import add_contract, command_parser, edition_name
from venice_contract.judging.facts import Facts
from venice_contract.reports.columns import terminal_line
from venice_contract.reports.wording import COSTS, count, dollars
from venice_contract.rules import all_checks, all_invariants
from venice_contract.running.opening import HOME_EDITION
from venice_contract.running.plan import Plan, make_plan
from venice_contract.running.profiles import NAMES, PROFILES, Profile
from venice_mock.contract import load_edition

EXAMPLES = """\
  venice-contract list --level must --text
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
    made.add_argument("--text", action="store_true", help="each rule's text below it, on one line")
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
    rows = _rows(plan, profile)
    if arguments.cost:
        rows = sorted((row for row in rows if row["usd"] != "0"), key=lambda row: Decimal(row["usd"]))
    total = sum((Decimal(row["usd"]) for row in rows), Decimal(0))
    if arguments.json:
        told = {
            "edition": facts.edition.edition,
            "profile": profile.name,
            "usd": _usd(total),
            "rules": rows,
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    if arguments.cost and not rows:
        print(f"Nothing that profile {profile.name} sends could be charged.")
        return 0
    _print(rows, texts=arguments.text)
    classes: Counter[str] = Counter()
    for row in rows:
        classes[row["cost"]] += row["cases"]
    counted = ", ".join(f"{classes[name]} {name}" for name in COSTS if classes[name])
    cases = count(classes.total(), "case") + (f" ({counted})" if counted else "")
    print(f"{count(len(rows), 'rule')}; of these, profile {profile.name} would run {cases}.")
    if profile.may_succeed:
        print(f"A conforming server would charge {dollars(total)} for all of them.")
    else:
        print("Nothing would be charged: cases that could be are left out, as UNTESTED-COST.")
    return 0


def _print(rows: list[dict[str, Any]], *, texts: bool) -> None:
    """The table, and below it what its words and marks mean."""
    print(
        f"{'rule':<14} {'level':<8} {'cost class':<13} {'certainty':<11} {'cases':>5} {'charge':>7}  source"
    )
    print(f"{'-' * 14} {'-' * 8} {'-' * 13} {'-' * 11} {'-' * 5} {'-' * 7}  {'-' * 30}")
    for row in rows:
        cases = "-" if row["not_tried"] else str(row["cases"]) if row["cases"] else "all"
        charge = dollars(Decimal(row["usd"])) if row["usd"] != "0" else ""
        print(
            f"{row['id']:<14} {row['level']:<8} {row['cost']:<13} {row['certainty']:<11} {cases:>5} "
            f"{charge:>7}  {row['source']}"
        )
        if texts:
            print(terminal_line(f"    {row['text']}"))
    print()
    shown = {row["cost"] for row in rows}
    for name, meaning in COSTS.items():
        if name in shown:
            print(f"{name:<13} {meaning}")
    if any(row["not_tried"] for row in rows):
        print(f"{'cases -':<13} not tried in this profile")
    if any(not row["cases"] and not row["not_tried"] for row in rows):
        print(f"{'cases all':<13} seen on every exchange of every other case")
    if rows:
        print()


def _rows(plan: Plan, profile: Profile) -> list[dict[str, Any]]:
    """A rule each. A profile that may not spend sends no case that could be charged, so such cases do not count."""
    sent = [case for case in plan.cases if profile.may_succeed or not case.predicted]
    cases = Counter(case.rule.id for case in sent)
    left_out = {case.rule.id for case in plan.cases} - set(cases)
    costs: dict[str, Decimal] = {}
    for case in sent:
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
            "not_tried": plan.not_tried.get(rule.id, "it could be charged" if rule.id in left_out else ""),
            "text": rule.text,
        }
        for rule in plan.rules
    ]


def _usd(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
