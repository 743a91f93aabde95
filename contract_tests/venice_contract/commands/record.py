"""``venice-contract record``: keep what a server answered, as redacted projections."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

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
from venice_contract.running.projection import record
from venice_mock.contract import load_edition

EXAMPLES = """\
  venice-contract record --base-url http://127.0.0.1:8402/api/v1 -o mock.record.json
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    text = "Run the fixed cases and keep status, media type, error shape, size, headers and charge of every answer."
    made = command_parser("record", text, EXAMPLES)
    add_target(made)
    add_contract(made)
    add_limits(made)
    made.add_argument("-o", "--output", metavar="FILE", required=True, help="where the record goes")
    return made


def run(arguments: argparse.Namespace) -> int:
    """0 when the record is complete, 4 when the run ended early; what was answered is kept even then."""
    output = Path(arguments.output)
    if not output.parent.is_dir():
        raise UsageError(f"--output {output}: there is no folder {output.parent}.")
    result = judge(
        options_of(arguments), replace(scope_of(arguments), examples=0), approve=announce(arguments)
    )
    kept = record(result, Facts(load_edition(result.edition)))
    output.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(kept['cases'])} cases of {result.target} recorded in {output}.")
    if result.stopped:
        print(result.conclusion)
        return 4
    return 0
