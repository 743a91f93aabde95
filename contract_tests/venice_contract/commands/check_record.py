"""``venice-contract check-record``: compare a record with a server, or with another record."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from venice_contract.commands.comparing import tell
from venice_contract.commands.options import (
    UsageError,
    add_contract,
    add_limits,
    add_target,
    command_parser,
    options_of,
    scope_of,
)
from venice_contract.commands.running import announce
from venice_contract.judging.facts import Facts
from venice_contract.running.judging import judge
from venice_contract.running.projection import compare, record
from venice_mock.contract import load_edition

EXAMPLES = """\
  venice-contract check-record real.record.json asgi:venice_mock.asgi:make_app
  venice-contract check-record real.record.json --with mock.record.json
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser(
        "check-record", "Compare a record with a server, or with another record, offline.", EXAMPLES
    )
    made.add_argument("record", metavar="FILE", help="what `venice-contract record` wrote")
    made.add_argument(
        "server", metavar="URL", nargs="?", help="the server's base URL; the same as --base-url"
    )
    made.add_argument("--with", metavar="FILE", dest="other", help="another record, in place of a server")
    add_target(made, required=False)
    add_contract(made)
    add_limits(made)
    made.add_argument("--json", action="store_true", help="the differences as JSON")
    return made


def run(arguments: argparse.Namespace) -> int:
    """0 when nothing differs, 1 when something does."""
    if sum(given is not None for given in (arguments.server, arguments.base_url, arguments.other)) != 1:
        raise UsageError("compare with one thing: URL, --base-url URL or --with FILE.")
    arguments.base_url = arguments.base_url or arguments.server
    kept = read_record(Path(arguments.record))
    if arguments.other is not None:
        other, name = read_record(Path(arguments.other)), arguments.other
    else:
        arguments.edition = arguments.edition or kept["edition"]
        result = judge(
            options_of(arguments), replace(scope_of(arguments), examples=0), approve=announce(arguments)
        )
        if result.stopped:
            print(result.conclusion)
            return 4
        other, name = record(result, Facts(load_edition(result.edition))), arguments.base_url
    return tell(compare(kept, other), arguments.record, name, as_json=arguments.json)


def read_record(file: Path) -> dict[str, Any]:
    """A record from its file. Raises UsageError."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}.") from error
    except ValueError as error:
        raise UsageError(f"{file} is no record: {error}.") from error
    if not isinstance(found, dict) or found.get("format") != 1 or not isinstance(found.get("cases"), list):
        raise UsageError(f"{file} is no record of format 1.")
    needed = {"rule", "check", "value", "verdict", "exchanges"}
    if not all(isinstance(case, dict) and needed <= set(case) for case in found["cases"]):
        raise UsageError(f"{file} has a case that is none.")
    return found
