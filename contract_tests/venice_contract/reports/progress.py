"""What a user sees while a run goes on: one line that changes on a terminal, dots everywhere else."""

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

_DOTS = {Verdict.PASS: ".", Verdict.OBSERVED: ".", Verdict.FAIL: "F", Verdict.HARNESS: "E", Verdict.NA: "-"}
_PER_LINE = 60
_PAUSE = 0.08  # seconds between two drawings: a run in process makes hundreds of cases in one


@dataclass
class Progress:
    """Told of every case, as ``runner.run`` wants it; ``total`` is how many there will be, 0 when nobody knows.

    Dots: ``.`` passed or noted, ``F`` failed, ``E`` the suite failed, ``s`` not seen, ``-`` not applicable.
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
        if not self._is_live:
            self._dot(verdict)
        elif self._drawn is None or now - self._drawn >= _PAUSE:
            self._drawn = now
            self._draw(check, now - self._began)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the line: a live one is wiped away, dots get their count."""
        if not self._is_open:
            return
        self._is_open = False
        done = self._counts.total()
        left = done % _PER_LINE
        text = (
            "\r\x1b[2K"
            if self._is_live
            else f"{' ' * (_PER_LINE - left)} {self._share(done)}\n"
            if left
            else ""
        )
        self.stream.write(text)
        self.stream.flush()

    @property
    def _is_live(self) -> bool:
        return self.stream.isatty() and self.environ.get("TERM") != "dumb"

    def _draw(self, check: str, seconds: float) -> None:
        counts = self._counts
        told = [
            self._share(counts.total()),
            f"{counts[Verdict.FAIL]} failed" if counts[Verdict.FAIL] else "",
            f"{counts[Verdict.HARNESS]} errors" if counts[Verdict.HARNESS] else "",
            f"{sum(counts[v] for v in NOT_SEEN)} not seen" if any(counts[v] for v in NOT_SEEN) else "",
            duration(seconds),
            one_line(check),
        ]
        width = self.width or fitting(shutil.get_terminal_size().columns)
        self._is_open = True
        self.stream.write("\r\x1b[2K" + clipped("  ".join(word for word in told if word), width - 1))
        self.stream.flush()

    def _dot(self, verdict: Verdict) -> None:
        done = self._counts.total()
        self._is_open = True
        self.stream.write(_DOTS.get(verdict, "s"))
        if done % _PER_LINE == 0:
            self.stream.write(f" {self._share(done)}\n")
        self.stream.flush()

    def _share(self, done: int) -> str:
        return f"{done}/{self.total}" if self.total else str(done)
