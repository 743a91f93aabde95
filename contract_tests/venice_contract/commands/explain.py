"""``venice-contract explain``: one rule in full, or the rules that a pattern matches. Sends nothing."""

from __future__ import annotations

import argparse
import difflib
import json
import shutil
import textwrap

from venice_contract.commands.options import UsageError, add_contract, command_parser, edition_name
from venice_contract.judging.facts import Facts
from venice_contract.reports.columns import terminal_line
from venice_contract.reports.wording import COSTS
from venice_contract.rules import all_checks, all_invariants
from venice_contract.running.opening import HOME_EDITION
from venice_contract.running.plan import chosen_rules
from venice_mock.contract import Rule, available_editions, load_edition

EXAMPLES = """\
  venice-contract explain EDIT-IMG-014
  venice-contract explain 'EDIT-FMT-*'
"""
_MOST_VALUES = 6


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("explain", "One rule in full: text, source, and how it is checked.", EXAMPLES)
    made.add_argument(
        "rule", metavar="RULE", help="an id such as EDIT-IMG-014; a pattern lists what it matches"
    )
    add_contract(made)
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the rule, or the list of those that match. Raises UsageError when there is none."""
    editions = dict.fromkeys(
        [edition_name(arguments.edition) or HOME_EDITION, *available_editions()]  # the wanted one first
    )
    wanted = arguments.rule.upper()
    for name in editions:
        facts = Facts(load_edition(name))
        rules = chosen_rules(facts, "all", [wanted])
        if len(rules) == 1:
            _print(facts, rules[0])
        elif rules:
            _print_list(rules, arguments.rule)
        if rules:
            return 0
    known = dict.fromkeys(rule.id for name in editions for rule in load_edition(name).rules)
    near = difflib.get_close_matches(wanted, known, n=3)
    raise UsageError(f"there is no rule {arguments.rule}." + (f" Near: {', '.join(near)}." if near else ""))


def _print_list(rules: list[Rule], pattern: str) -> None:
    print(f"{len(rules)} rules match {pattern}; explain one of them by its id:")
    for rule in rules:
        print(terminal_line(f"{rule.id:<14} {rule.text}"))


def _print(facts: Facts, rule: Rule) -> None:
    width = min(shutil.get_terminal_size().columns, 100)

    def say(text: str, indent: str = "") -> None:
        print(
            textwrap.fill(
                text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )
        )

    print(f"{rule.id}  {rule.level.upper()}  {rule.group}")
    say(rule.text)
    print()
    until = f", until {rule.until}" if rule.until else ""
    say(f"Source: {rule.source} ({rule.certainty}). Since edition {rule.since}{until}.")
    say(f"Cost: {COSTS[rule.cost]}.")
    if rule.difference is not None:
        row = next(d for d in facts.edition.differences if d.id == rule.difference)
        print()
        say(f"Documentation and measurement differ here ({row.id}: {row.matter}).")
        say(f"documented: {row.documented.text}", "  ")
        say(f"observed:   {row.observed.text}", "  ")
    print()
    checks = [check for check in all_checks() if check.rule == rule.id]
    invariants = [each for each in all_invariants() if each.rule == rule.id]
    if not checks and not invariants:
        say("No check can see it from outside; the mock's own tests show it.")
    for invariant in invariants:
        say(f"Seen on every exchange: {invariant.name.replace('_', ' ')}.")
    for check in checks:
        say(f"{check.name.replace('_', ' ')}", "- ")
        say(check.text.splitlines()[0] if check.text else "", "  ")
        values = list(check.witnesses(facts))
        if values != [None]:
            shown = [json.dumps(value, ensure_ascii=False)[:90] for value in values[:_MOST_VALUES]]
            more = f" and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else ""
            say(f"tried with {'; '.join(shown)}{more}", "  ")
        if check.strategy is not None:
            say("and with whatever Hypothesis finds", "  ")
