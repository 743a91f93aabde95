"""The command ``venice-contract``: finds the command's module and turns errors into sentences and exit codes.

Exit codes: 0 conforming, 1 failure or stale deviation, 2 usage or an address where something else answers, 3 nothing
wrong but required rules untested, 4 the run could not be made or the suite itself failed.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

from venice_contract import __version__

COMMANDS = {
    "run": "judge a server by the rules of an edition",
    "list": "the rules, with level, source, cost class and predicted USD: the dry run",
    "explain": "one rule in full: text, source, cost, and how it is checked",
    "replay": "send one failing case again",
    "diff": "the same cases to two servers, compared",
    "record": "keep what a server answered, redacted, to compare with later",
    "check-record": "compare a record with another server, or with another record",
}
EXAMPLES = """\
examples:
  venice-contract run --base-url http://127.0.0.1:8402/api/v1
  venice-contract run --base-url asgi:venice_mock.asgi:make_app --only 'EDIT-FMT-*'
  venice-contract list --cost

exit codes of run:
  0  conforming
  1  a rule is broken, or a listed deviation no longer deviates
  2  wrong usage, or an address where something else than the API answers
  3  nothing wrong, but required rules were not seen
  4  the run could not be made or finished: nobody answers, or the suite itself failed
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal cannot show must not end the run
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output (`| head`) has seen enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:  # argparse: help and version end with 0, usage errors with 2
        return end.code if isinstance(end.code, int) else 2
    return code


def _dispatch(words: list[str]) -> int:
    if not words or words[0] not in COMMANDS:
        return _without_command(words)
    command = importlib.import_module(f"venice_contract.commands.{words[0].replace('-', '_')}")
    arguments = command.parser().parse_args(words[1:])

    from venice_contract.commands.options import UsageError
    from venice_contract.running.opening import OpeningError
    from venice_contract.wire.asgi import AppError
    from venice_contract.wire.target import TargetError
    from venice_mock.contract import ContractError

    try:
        code: int = command.run(arguments)
    except OpeningError as error:
        print(f"venice-contract {words[0]}: {error}", file=sys.stderr)
        return error.code
    except (UsageError, TargetError, AppError, ContractError) as error:
        print(f"venice-contract {words[0]}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of the suite must not look like a server that fails
        traceback.print_exc()
        print(
            f"venice-contract {words[0]}: the suite itself failed: {type(error).__name__}.", file=sys.stderr
        )
        return 4
    return code


def _without_command(words: list[str]) -> int:
    parser = _top_parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    if words[0] == "help" and len(words) > 1 and words[1] in COMMANDS:
        return _dispatch([words[1], "--help"])
    if words[0] == "help":
        words = ["--help"]
    if words[0].startswith("-"):
        parser.parse_args(words[:1])
    near = difflib.get_close_matches(words[0], COMMANDS, n=1)
    hint = f" Did you mean {near[0]}?" if near else " See venice-contract --help."
    print(f"venice-contract: there is no command {words[0]!r}.{hint}", file=sys.stderr)
    return 2


def _top_parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<13} {summary}" for name, summary in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="venice-contract",
        usage="venice-contract COMMAND [OPTIONS]",
        description="Judges any server of the Venice.ai image edit API, mock or original, by the same rules.\n\n"
        f"commands:\n{listed}",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"venice-contract {__version__}")
    return parser
