"""``venice-contract diff``: the same cases to two servers."""

from __future__ import annotations

import argparse
from dataclasses import replace

from venice_contract.commands.comparing import tell
from venice_contract.commands.options import add_contract, add_limits, command_parser, options_of, scope_of
from venice_contract.commands.running import announce
from venice_contract.judging.facts import Facts
from venice_contract.running.judging import judge
from venice_contract.running.projection import compare, record
from venice_mock.contract import load_edition

EXAMPLES = """\
  venice-contract diff http://127.0.0.1:8402/api/v1 http://127.0.0.1:9000/api/v1 --only 'EDIT-*'
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    text = "Send the same cases to two servers and compare status, media type, error shape, size, headers and charge."
    made = command_parser("diff", text, EXAMPLES)
    made.add_argument("left", metavar="URL_A", help="the one server's base URL, or asgi:MODULE:ATTRIBUTE")
    made.add_argument("right", metavar="URL_B", help="the other's")
    add_contract(made)
    add_limits(made)
    made.add_argument("--json", action="store_true", help="the differences as JSON")
    return made


def run(arguments: argparse.Namespace) -> int:
    """0 when nothing differs, 1 when something does, 4 when a server could not be asked to the end."""
    records = []
    edition = arguments.edition
    for url in (arguments.left, arguments.right):
        arguments.base_url, arguments.edition = url, edition
        result = judge(
            options_of(arguments), replace(scope_of(arguments), examples=0), approve=announce(arguments)
        )
        if result.stopped:
            print(f"{url}: {result.conclusion}")
            return 4
        edition = result.edition  # the second server is asked by the first one's rules
        records.append(record(result, Facts(load_edition(result.edition))))
    return tell(compare(*records), arguments.left, arguments.right, as_json=arguments.json)
