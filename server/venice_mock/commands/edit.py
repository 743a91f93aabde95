"""``venice-mock edit``: edits files without a server. What an edit is stands in ``venice_mock.edit``."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venice_mock.commands.files import STREAM, Job, JobError, plan_jobs, read_input, write_output
from venice_mock.commands.options import add_settings, command_parser, settings
from venice_mock.settings import SettingsError

if TYPE_CHECKING:
    from venice_mock.edit.local import EditResult

EXAMPLES = """\
  venice-mock edit photo.jpg "make it a sunset" -o edited.png
  venice-mock edit photo.jpg "sepia" -o wide.webp --aspect-ratio 16:9
  venice-mock edit *.jpg "remove the car" -o edited/ --model flux-2-max-edit
  venice-mock edit - "sketch" -o - < photo.jpg > edited.png
  venice-mock edit photo.jpg "at night" -o night.png --json

the ending of OUT chooses the format unless --output-format does. Nothing is
charged and nothing leaves this machine; a line per picture says what the same
edit would cost on the real API. Exit code 1: some picture could not be made.
"""

_FIELDS = (
    "model",
    "aspect_ratio",
    "resolution",
    "output_format",
    "quality",
    "safe_mode",
    "enhance_prompt",
)
_THREADS = 2  # Pillow works outside the interpreter's lock; more would only cost memory


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How one picture went: ``result``, or ``error`` in one line with the API's ``status`` if it refused."""

    job: Job
    result: EditResult | None = None
    path: Path | None = None
    error: str = ""
    status: int | None = None


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    made = command_parser("edit", "Edit pictures without a server, as the API would.", EXAMPLES)
    made.usage = "venice-mock edit IN... PROMPT -o OUT [OPTIONS]"
    made.add_argument(
        "words", nargs="+", metavar="IN... PROMPT", help="pictures (- is standard input), then the prompt"
    )
    made.add_argument(
        "-o", "--output", metavar="OUT", required=True, help="file, folder (for several), or - "
    )
    made.add_argument("--model", metavar="MODEL", help="model id; see venice-mock models")
    made.add_argument("--aspect-ratio", metavar="W:H", help="auto, 1:1, 16:9, ... (default auto)")
    made.add_argument("--resolution", metavar="TIER", help="1K, 2K or 4K (default 1K)")
    made.add_argument("--output-format", metavar="FORMAT", help="png, jpeg or webp")
    made.add_argument("--quality", metavar="QUALITY", help="low, medium or high, where a model has them")
    made.add_argument(
        "--safe-mode", action=argparse.BooleanOptionalAction, help="blur adult results (default yes)"
    )
    made.add_argument(
        "--enhance-prompt",
        action=argparse.BooleanOptionalAction,
        help="let the prompt be rewritten, from edition 2026-08-22 on (default no)",
    )
    made.add_argument("--json", action="store_true", help="one JSON object a line instead of text")
    add_settings(made, {"edition", "behavior", "engine", "seed", "caption"})
    return made


def run(arguments: argparse.Namespace) -> int:
    """Edit all inputs; 0 when every one was made, else 1. Raises SettingsError for a run without meaning."""
    from venice_mock.contract import load_contract
    from venice_mock.edit.local import edit_bytes

    chosen = settings(arguments)
    *inputs, prompt = arguments.words
    fields = {key: getattr(arguments, key) for key in _FIELDS if getattr(arguments, key) is not None}
    if _is_file(prompt):
        raise SettingsError(f"The last word is the prompt, and {prompt} is a file. Was the prompt forgotten?")
    jobs = plan_jobs(inputs, arguments.output, chosen.edition, "output_format" in fields)
    if jobs.output_format is not None:
        fields["output_format"] = jobs.output_format

    report = _Report(len(jobs.list), arguments.json, to_stderr=arguments.output == STREAM)
    contract = load_contract(chosen.edition, chosen.behavior)

    def edit(job: Job) -> Outcome:
        return _edit(
            job,
            lambda data: edit_bytes(data, prompt=prompt, settings=chosen, fields=fields, contract=contract),
        )

    with contextlib.closing(_edited(jobs.list, edit)) as outcomes:
        for outcome in outcomes:
            report.add(outcome)
    report.end()
    return 1 if report.failed else 0


def _is_file(words: str) -> bool:
    try:
        return Path(words).is_file()
    except (OSError, ValueError):  # longer than any file name, or with a zero in it
        return False


def _edited(jobs: list[Job], edit: Callable[[Job], Outcome]) -> Generator[Outcome, None, None]:
    """The outcomes in the order of the jobs, made by a few threads. Closing it drops what has not begun."""
    with ThreadPoolExecutor(min(_THREADS, len(jobs))) as pool:
        yield from pool.map(edit, jobs)


def _edit(job: Job, make: Callable[[bytes], EditResult]) -> Outcome:
    from venice_mock.errors import ApiError

    try:
        result = make(read_input(job.source))
        path = write_output(job, result.image, result.media_type)
    except ApiError as error:
        return Outcome(job, error=_told(error.body, error.hint), status=error.status)
    except JobError as error:
        return Outcome(job, error=str(error))
    return Outcome(job, result=result, path=path)


def _told(body: Mapping[str, Any], hint: str | None) -> str:
    """The vendor's message in one line: the error, and what each field did wrong, or else our hint."""
    faults = [
        f"{'.'.join(map(str, issue['path'])) + ': ' if issue['path'] else ''}{issue['message']}"
        for issue in body.get("issues", ())
    ]
    if not faults and hint:
        faults = [hint]
    return f"{body['error']}{': ' if faults else ''}{'; '.join(faults)}"


class _Report:
    """Writes a line per picture, progress for people who wait, and a sum at the end of a batch."""

    def __init__(self, total: int, as_json: bool, to_stderr: bool) -> None:
        self.failed = 0
        self._total = total
        self._json = as_json
        self._out = sys.stderr if to_stderr else sys.stdout
        self._progress = total > 1 and sys.stderr.isatty()
        self._began = time.monotonic()
        self._done = 0
        self._cost = Decimal(0)
        self._show_progress()

    def add(self, outcome: Outcome) -> None:
        """Report one picture."""
        self._done += 1
        self._clear_progress()
        if outcome.result is None:
            self.failed += 1
        else:
            self._cost += Decimal(outcome.result.price_usd)
        if self._json:
            print(json.dumps(_entry(outcome), ensure_ascii=False), file=self._out, flush=True)
        elif outcome.result is None:
            print(f"{outcome.job.name}: {outcome.error}", file=sys.stderr)
        else:
            print(_line(outcome, outcome.result), file=self._out, flush=True)
        self._show_progress()

    def end(self) -> None:
        """The sum of a batch, for people."""
        self._clear_progress()
        if self._total == 1 or self._json:
            return
        seconds = time.monotonic() - self._began
        failed = f", {self.failed} failed" if self.failed else ""
        print(
            f"{self._total - self.failed} of {self._total} pictures edited{failed} in {seconds:.1f} s; "
            f"the real API would charge ${self._cost}.",
            file=sys.stderr,
        )

    def _show_progress(self) -> None:
        if self._progress and self._done < self._total:
            share = 24 * self._done // self._total
            bar = "#" * share + "." * (24 - share)
            print(f"\r[{bar}] {self._done}/{self._total}", end="", file=sys.stderr, flush=True)

    def _clear_progress(self) -> None:
        if self._progress:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _line(outcome: Outcome, result: EditResult) -> str:
    kind = result.media_type.removeprefix("image/")
    return (
        f"{outcome.path or STREAM}  {result.width}x{result.height} {kind}  {result.model}  "
        f"free here, ${result.price_usd} on the real API"
    )


def _entry(outcome: Outcome) -> dict[str, Any]:
    if outcome.result is None:
        return {"input": outcome.job.name, "output": None, "status": outcome.status, "error": outcome.error}
    result = outcome.result
    return {
        "input": outcome.job.name,
        "output": STREAM if outcome.path is None else str(outcome.path),
        "media_type": result.media_type,
        "model": result.model,
        "width": result.width,
        "height": result.height,
        "real_price_usd": result.price_usd,
        "charged_usd": "0",
        "headers": dict(result.headers),
    }
