"""``venice-contract run``: judge a server, tell what came of it, and leave reports if they are wanted.

With ``--report`` a report is left whatever happens: when the server cannot be reached, when the run is interrupted,
and when the suite itself fails. Without it nothing is written.
"""

from __future__ import annotations

import argparse
import shutil
import sys
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
from venice_contract.commands.running import announce, interruptible
from venice_contract.reports.case_files import FOLDER
from venice_contract.reports.progress import Progress
from venice_contract.reports.terminal import Style, run_text
from venice_contract.reports.wording import count
from venice_contract.reports.writing import write_reports
from venice_contract.running.judging import Scope, judge, not_begun
from venice_contract.running.opening import Opened, OpeningError, Options
from venice_contract.running.plan import Plan
from venice_contract.running.results import RunResult

EXAMPLES = """\
  venice-contract run --base-url http://127.0.0.1:8402/api/v1
  venice-contract run --base-url asgi:venice_mock.asgi:make_app --only 'EDIT-IMG-*' --report out

environment:
  VENICE_API_KEY             a key with credit: the rules of edits that succeed (never sent by --profile free)
  VENICE_EMPTY_API_KEY       a key without credit: the rules of a 402, which cost nothing
  VENICE_MOCK_CONTROL_TOKEN  the token of a mock that asks for one: the rules that only a steered mock can show
On a mock that can be steered the suite makes its own accounts, and neither key is used.

What another server answers with 429 is sent once more, after the time in Retry-After (up to a minute), unless it pays
or is signed for one use. With --profile free and real the second 429 of a run ends it.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("run", "Judge a server by the rules of an edition.", EXAMPLES)
    add_target(made)
    add_contract(made)
    add_limits(made)
    group = made.add_argument_group("what it tells")
    group.add_argument(
        "--report",
        metavar="DIR",
        help="write report.html, report.json, junit.xml, summary.md, badge.json, badge.md and a case file "
        "for each failing case into this folder",
    )
    group.add_argument(
        "--notes", action="store_true", help="tell also what was observed, and every rule not seen"
    )
    group.add_argument(
        "--quiet", action="store_true", help="tell nothing while it runs, and only the result after it"
    )
    return made


def run(arguments: argparse.Namespace) -> int:
    """Judge, print, and write the reports. Raises OpeningError when the run cannot begin."""
    options, scope = options_of(arguments), scope_of(arguments)
    folder = None if arguments.report is None else made_folder(Path(arguments.report))
    try:
        with interruptible():
            result = _judged(options, scope, arguments)
    except OpeningError as error:
        _written(not_begun(options, str(error), error.code), folder)
        raise
    except KeyboardInterrupt:  # before the first case; a run that has begun ends by itself, with a result
        _written(not_begun(options, "it was interrupted.", 4), folder)
        raise
    except Exception as error:
        _written(not_begun(options, f"the suite itself failed ({type(error).__name__}).", 4), folder)
        raise
    style = Style.of(sys.stdout, shutil.get_terminal_size().columns)
    sys.stdout.write(run_text(result, style, directory=folder, notes=arguments.notes))
    return result.exit_code if _written(result, folder) else 4


def made_folder(folder: Path) -> Path:
    """The folder, which is made if need be: before the run, whose result would be lost. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--report {folder}: {error.strerror or error}.") from error
    return folder


def _judged(options: Options, scope: Scope, arguments: argparse.Namespace) -> RunResult:
    announced = announce(arguments, quiet=arguments.quiet)
    if arguments.quiet:
        return judge(options, scope, approve=announced)
    with Progress(sys.stderr) as progress:

        def approve(plan: Plan, ready: Opened) -> None:
            announced(plan, ready)
            progress.total = len(plan.cases) + len(plan.searches)

        return judge(options, scope, approve=approve, progress=progress)


def _written(result: RunResult, folder: Path | None) -> bool:
    """Write the reports, if they are wanted, and say where they are. False when they cannot be written."""
    if folder is None:
        return True
    try:
        written = write_reports(result, folder)
    except OSError as error:
        print(f"venice-contract run: --report {folder}: {error.strerror or error}.", file=sys.stderr)
        return False
    cases = sum(path.parent.name == FOLDER and path.suffix == ".json" for path in written)
    more = f", and {count(cases, 'case file')} in {folder / FOLDER}" if cases else ""
    print(f"Reports: {folder / 'report.html'} and others{more}.", file=sys.stderr)
    return True
