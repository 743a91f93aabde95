"""What a user sees while a run goes on: one line that changes on a terminal, a line now and then everywhere else."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from venice_contract.reports.columns import clipped, fitting
from venice_contract.reports.wording import duration, one_line
from venice_contract.running.results import NOT_SEEN, Verdict

_PAUSE = 0.08  # seconds between two drawings: a run in process makes hundreds of cases in one
_LOG_PAUSE = 10.0  # seconds between two lines of a log


@dataclass
class Progress:
    """Told of every case, as ``runner.run`` wants it; ``total`` is how many there will be, 0 when nobody knows.

    ``close`` before anything else is printed; a ``with`` block does it.
    """

    stream: TextIO
    total: int = 0
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    monotonic: Callable[[], float] = time.monotonic
    width: int | None = None
    _counts: Counter[Verdict] = field(default_factory=Counter)
    _began: float | None = None
    _drawn: float | None = None
    _is_open: bool = False

    def __call__(self, check: str, verdict: Verdict) -> None:
        """One case is over."""
        now = self.monotonic()
        self._began = now if self._began is None else self._began
        self._counts[verdict] += 1
        pause = _PAUSE if self._is_live else _LOG_PAUSE
        since = self._began if self._drawn is None and not self._is_live else self._drawn
        if since is None or now - since >= pause:
            self._drawn = now
            self._draw(check, now - self._began)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipe the changing line away; lines of a log stay."""
        if self._is_open:
            self._is_open = False
            self.stream.write("\r\x1b[2K")
            self.stream.flush()

    @property
    def _is_live(self) -> bool:
        return self.stream.isatty() and self.environ.get("TERM") != "dumb"

    def _draw(self, check: str, seconds: float) -> None:
        counts, done = self._counts, self._counts.total()
        untested = sum(counts[verdict] for verdict in NOT_SEEN)
        told = [
            f"{done}/{self.total} cases" if self.total else f"{done} cases",
            f"{counts[Verdict.FAIL]} failed" if counts[Verdict.FAIL] else "",
            f"{counts[Verdict.HARNESS]} errors" if counts[Verdict.HARNESS] else "",
            f"{untested} untested" if untested else "",
            duration(seconds),
            one_line(check),
        ]
        text = "  ".join(word for word in told if word)
        if self._is_live:
            self._is_open = True
            width = self.width or fitting(shutil.get_terminal_size().columns)
            text = "\r\x1b[2K" + clipped(text, width - 1)
        else:
            text += "\n"
        self.stream.write(text)
        self.stream.flush()
