"""``venice-mock rules``: the sentences of the contract that tests can show."""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import json

from venice_mock.commands.options import add_settings, command_parser, settings
from venice_mock.contract import ContractError, Edition, Rule, load_edition

LEVELS = ("must", "should", "may", "observe")

EXAMPLES = """\
  venice-mock rules
  venice-mock rules EDIT-PAY-001
  venice-mock rules 'EDIT-IMG-*' --level must
  venice-mock rules --group prompt --json
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("rules", "List the rules of the contract, each with where it comes from.", EXAMPLES)
    made.add_argument("id", metavar="ID", nargs="*", help="only these rules; * stands for any letters")
    made.add_argument("--level", choices=LEVELS, help="only rules of this level")
    made.add_argument("--group", metavar="GROUP", help="only rules of this group")
    made.add_argument("--json", action="store_true", help="the rules as JSON")
    add_settings(made, {"edition"})
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the list. Raises SettingsError and ContractError."""
    edition = load_edition(settings(arguments).edition)
    rules = _chosen(edition, arguments.level, arguments.group, arguments.id)
    if arguments.json:
        import msgspec

        rows = msgspec.to_builtins(rules)
        print(json.dumps({"edition": edition.edition, "rules": rows}, indent=2, ensure_ascii=False))
        return 0

    from venice_mock.commands.tables import paragraph, terminal_width

    width = terminal_width()
    group = None
    for rule in rules:
        if rule.group != group:
            group = rule.group
            print(f"{group}\n{'-' * len(group)}")
        print(paragraph(f"{rule.id} ({rule.level}) {rule.text}", width, "    ", first=""))
        print(paragraph(f"{rule.certainty}: {rule.source}", width, "      ", first="    "))
        print()
    print(f"{len(rules)} of {len(edition.active_rules)} rules of edition {edition.edition}.")
    return 0


def _chosen(edition: Edition, level: str | None, group: str | None, ids: list[str]) -> list[Rule]:
    groups = list(dict.fromkeys(rule.group for rule in edition.active_rules))
    if group is not None and group.lower() not in {name.lower() for name in groups}:
        raise ContractError(f"There is no group {group!r}. Known: {', '.join(groups) or 'none yet'}.")
    wanted = [each.upper() for each in ids]
    known = [rule.id for rule in edition.active_rules]
    for each in wanted:
        if not fnmatch.filter(known, each):
            near = difflib.get_close_matches(each, known, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise ContractError(f"There is no rule {each!r} in edition {edition.edition}.{meant}")
    return [
        rule
        for name in groups  # rules of one group stand together, whatever the order of the file
        for rule in edition.active_rules
        if rule.group == name
        and (not wanted or any(fnmatch.fnmatchcase(rule.id, each) for each in wanted))
        and level in (None, rule.level)
        and (group is None or group.lower() == name.lower())
    ]
