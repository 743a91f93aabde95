"""``venice-mock``: finds the command, hands it the rest, and turns its end into an exit code.

Exit codes: 0 done, 1 something could not be done, 2 the command was not understood or cannot start,
130 interrupted. A command's module is imported only when it is asked for, so that help is immediate.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import io
import os
import sys
from collections.abc import Sequence

from venice_mock import __version__

# In the order in which a newcomer meets them.
COMMANDS = {
    "serve": "answer the API on this machine",
    "edit": "edit pictures without a server",
    "read": "read back from an edited picture what was understood",
    "sample": "write a sample picture to start from",
    "wallet": "throwaway wallets that sign in and pay, for curl",
    "postman": "write a Postman collection of the API",
    "models": "list the models, their limits and prices",
    "differences": "where documentation and the live server disagree",
    "rules": "list the rules of the contract",
    "editions": "list the editions, and what changed between two",
}

EXAMPLES = """\
examples:
  venice-mock serve
  venice-mock edit photo.jpg "make it a sunset" -o edited.png
  venice-mock read edited.png
  venice-mock models
  venice-mock COMMAND --help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (``sys.argv`` without the program by default) and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a file name that the terminal cannot show must not end the run
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
    command = importlib.import_module(f"venice_mock.commands.{words[0]}")
    # Intermixed, because people write the prompt after the options too.
    arguments = command.parser().parse_intermixed_args(words[1:])

    from venice_mock.contract import ContractError
    from venice_mock.settings import SettingsError

    try:
        code: int = command.run(arguments)
    except (SettingsError, ContractError) as error:
        print(f"venice-mock {words[0]}: {error}", file=sys.stderr)
        return 2
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
    hint = f" Did you mean {near[0]}?" if near else " See venice-mock --help."
    print(f"venice-mock: there is no command {words[0]!r}.{hint}", file=sys.stderr)
    return 2


def _top_parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<12} {summary}" for name, summary in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="venice-mock",
        usage="venice-mock COMMAND [OPTIONS]",
        description="A local stand-in for the Venice.ai image edit API: offline, deterministic, free.\n\n"
        f"commands:\n{listed}",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"venice-mock {__version__}")
    return parser
