"""``venice-mock differences``: where the vendor's documentation and the live server disagree."""

from __future__ import annotations

import argparse
import json

from venice_mock.commands.options import add_settings, command_parser, settings
from venice_mock.contract import load_edition

EXAMPLES = """\
  venice-mock differences
  venice-mock differences --json
  venice-mock serve --behavior observed
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser(
        "differences",
        "List where documentation and the live server disagree. --behavior of serve and edit chooses a side.",
        EXAMPLES,
    )
    made.add_argument("--json", action="store_true", help="the rows as JSON, with the values that code reads")
    add_settings(made, {"edition"})
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the list. Raises SettingsError and ContractError."""
    edition = load_edition(settings(arguments).edition)
    if arguments.json:
        import msgspec

        rows = msgspec.to_builtins(edition.differences)
        print(json.dumps({"edition": edition.edition, "differences": rows}, indent=2, ensure_ascii=False))
        return 0

    from venice_mock.commands.tables import paragraph, terminal_width

    width = terminal_width()
    for row in edition.differences:
        print(paragraph(f"{row.id}: {row.matter} ({row.grade})", width, "  ", first=""))
        print(paragraph(row.documented.text, width, " " * 14, first="  documented  "))
        print(paragraph(row.observed.text, width, " " * 14, first="  observed    "))
        print()
    count = len(edition.differences)
    print(paragraph(f"{count} difference{'' if count == 1 else 's'} in edition {edition.edition}.", width))
    return 0
