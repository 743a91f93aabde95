"""``venice-mock read``: what the server understood, out of an edited picture."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from venice_mock.commands.files import STREAM, JobError, read_input
from venice_mock.commands.options import command_parser

EXAMPLES = """\
  venice-mock read edited.png
  venice-mock read edited.png --json
  curl -sS ... | venice-mock read -
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser(
        "read", "Read back from an edited picture which request the mock understood.", EXAMPLES
    )
    made.add_argument("file", metavar="FILE", help="a picture that this mock made (- is standard input)")
    made.add_argument("--json", action="store_true", help="the request as JSON")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Print the request; 1 when the file holds none."""
    from pathlib import Path

    from venice_mock.edit.metadata import read_request

    try:
        data = read_input(None if arguments.file == STREAM else Path(arguments.file))
        found = dataclasses.asdict(read_request(data))
    except JobError as error:
        print(f"{arguments.file}: {error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"{arguments.file}: {_refusal_in(data) or error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0

    from venice_mock.commands.tables import paragraph, terminal_width

    widest = max(len(key) for key in found)
    for key, entry in found.items():
        text = entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)
        print(paragraph(text, terminal_width(), " " * (widest + 2), first=f"{key:<{widest}}  "))
    return 0


def _refusal_in(data: bytes) -> str | None:
    # curl -o stores a refusal under the picture's name, which is the likeliest reason to come here.
    try:
        answer = json.loads(data)
        return f"no picture but a refusal: {answer['error']}" if isinstance(answer["error"], str) else None
    except (ValueError, TypeError, KeyError):
        return None
