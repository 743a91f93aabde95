"""The process as a whole: how soon it answers after its start, and how much memory it takes at most."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from io import BytesIO

from PIL import Image

from benchmarks.cases import Bench, CannotMeasureError, Case
from benchmarks.http_cases import Post, form_edit, json_edit, send
from benchmarks.measuring import Lap, Outcome, compare, interleave
from benchmarks.processes import REPOSITORY, SERVER, BenchmarkError, cpu_seconds, memory_bytes, running

_IMPORTS = "import starlette.applications, PIL.Image"


def cold_start(bench: Bench, post: Post | None) -> Outcome:
    """From the start of the process to its first answer, to GET /livez or to ``post``."""
    return compare(*interleave(bench.rounds, partial(_start, bench, post), _import))


def _start(bench: Bench, post: Post | None) -> Lap:
    with running(SERVER, bench.folder) as server:
        status = server.ask("GET", "/livez").status if post is None else send(server, post).status
        seconds, cpu = time.perf_counter() - server.born, cpu_seconds(server.pid)
        if status != 200:
            raise BenchmarkError(f"GET /livez gave {status}.")
        return Lap([seconds], cpu)


def _import() -> Lap:
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", _IMPORTS], cwd=REPOSITORY)
    if not hasattr(sys, "getwindowsversion"):
        import os

        _, _, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = 0  # it has been waited for
        return Lap([seconds], used.ru_utime + used.ru_stime)
    process.wait()
    return Lap([time.perf_counter() - start])


def peak_memory(bench: Bench, post: Post, pixels: int, edits: int, rounds: int) -> Outcome:
    """The highest resident memory of a fresh server while it makes ``edits`` edits, over what it had idle.

    The baseline is arithmetic: 4 bytes for each of ``pixels`` (the decoded input) and of the output, and the
    body once. Raises CannotMeasureError.
    """
    laps = [_peak(bench, post, edits) for _ in range(rounds)]
    with Image.open(BytesIO(laps[0][1])) as answer:
        held = pixels + answer.width * answer.height
    theory = float(4 * held + len(post.body))
    return compare([lap for lap, _ in laps], [Lap([theory])] * len(laps), "memory")


def _peak(bench: Bench, post: Post, edits: int) -> tuple[Lap, bytes]:
    with running(SERVER, bench.folder) as server:
        server.ask("GET", "/livez")
        idle = memory_bytes(server.pid)
        for _ in range(edits):
            answer = send(server, post)
        peak = memory_bytes(server.pid)
        if idle is None or peak is None:
            raise CannotMeasureError("This system has no /proc, which alone tells a process's peak memory.")
        return Lap([float(peak[1] - idle[0])]), answer.body


_THEORY = "arithmetic: 4 bytes x pixels held (in and out) + the body"
_PYTHON = f"python -c '{_IMPORTS}'"

CASES = (
    Case(
        "cold-start",
        "process start to the first 200 of GET /livez",
        _PYTHON,
        "seconds",
        lambda bench: cold_start(bench, None),
    ),
    Case(
        "cold-edit",
        "process start to the first edited picture (json-edit)",
        _PYTHON,
        "seconds",
        lambda bench: cold_start(bench, json_edit(bench.pictures.photo)),
    ),
    Case(
        "memory-33mp",
        "peak over idle of a 33 MP PNG edit in a fresh server",
        _THEORY,
        "bytes",
        lambda bench: peak_memory(
            bench, form_edit(bench.pictures.large_png), bench.pictures.large_png.pixels, 1, bench.rounds
        ),
    ),
    Case(
        "memory-200-edits",
        "peak over idle of 200 edits (json-edit), one after the other",
        _THEORY,
        "bytes",
        lambda bench: peak_memory(  # one round only: it takes a minute
            bench, json_edit(bench.pictures.photo), bench.pictures.photo.pixels, bench.operations(200), 1
        ),
    ),
)
