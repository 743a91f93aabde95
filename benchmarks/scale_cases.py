"""Many at once and for long: sixteen of the largest edits, a second core, twenty thousand requests."""

from __future__ import annotations

import os
import statistics
import sys
from functools import partial
from io import BytesIO

from PIL import Image

from benchmarks.cases import Bench, CannotMeasureError, Case, Goal
from benchmarks.load import Load, put_under
from benchmarks.measuring import Lap, Outcome, compare, interleave
from benchmarks.posts import NUMBERED_PROMPT, Post, form_edit, json_edit, large_refusal, send, small_refusal
from benchmarks.processes import (
    SERVER,
    BenchmarkError,
    Server,
    forget_peak,
    memory_bytes,
    running,
)

_AT_ONCE, _IN_WORK = 16, 2
_SAMPLES = 40
NO_PROC = "This system has no /proc, which alone tells a process's memory."


def sixteen(bench: Bench, rounds: int) -> Outcome:
    """Peak over idle of a fresh server with sixteen different edits at once, against what two of them hold."""
    picture = bench.pictures.largest_png
    post = form_edit(picture, NUMBERED_PROMPT)
    laps = [_peak_of_many(bench, post) for _ in range(rounds)]
    size = laps[0][1]
    theory = _IN_WORK * (4 * (picture.pixels + size[0] * size[1]) + len(post.body))
    return compare([lap for lap, _ in laps], [Lap([float(theory)])] * len(laps), "memory", floor=False)


def _peak_of_many(bench: Bench, post: Post) -> tuple[Lap, tuple[int, int]]:
    with running(SERVER, bench.folder) as server:
        forget_peak(server.pid)
        idle = memory_bytes(server.pid)
        load = Load(_AT_ONCE, 0, bench.fresh_numbers(), requests=_AT_ONCE)
        put_under(server, post, load, bench.folder)
        peak = memory_bytes(server.pid)
        if idle is None or peak is None:
            raise CannotMeasureError(NO_PROC)
        with Image.open(BytesIO(send(server, post).body)) as answer:
            return Lap([float(peak[1] - idle[0])]), answer.size


def second_core(bench: Bench, edits: int) -> Outcome:
    """New edits on a server that may use two cores, against one that may use one; ``edits`` in a round.

    So many, not for so long: what was still in work at the end would take cores from the other side.
    """
    mine = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(mine) < 2:
        raise CannotMeasureError("It takes two cores, and a system that can give a process one of them.")
    post = json_edit(bench.pictures.photo, NUMBERED_PROMPT)

    def lap(server: Server) -> Lap:
        load = Load(4, 0, bench.fresh_numbers(), requests=8 if bench.quick else edits)
        return put_under(server, post, load, bench.folder).lap()

    with running(SERVER, bench.folder, mine[:2]) as two, running(SERVER, bench.folder, mine[:1]) as one:
        return compare(
            *interleave(bench.rounds, partial(lap, two), partial(lap, one)), "requests a second", floor=False
        )


def growth(bench: Bench, requests: int) -> Outcome:
    """Resident memory over the last quarter of so many requests, against the quarter before."""
    count = bench.operations(requests)
    with running(SERVER, bench.folder) as server:
        memory = [_mixed(bench, server, count // _SAMPLES) for _ in range(_SAMPLES)]
    quarter = _SAMPLES // 4
    before, last = memory[-2 * quarter : -quarter], memory[-quarter:]
    return compare([Lap(last)], [Lap([statistics.median(before)])], "memory", floor=False)


def _mixed(bench: Bench, server: Server, count: int) -> float:
    """So many requests of all kinds, then the resident memory in bytes."""
    small, photo = bench.pictures.small(21_000), bench.pictures.photo
    known, form = json_edit(small), form_edit(photo)
    new = json_edit(small, NUMBERED_PROMPT)
    refused = (small_refusal(), large_refusal(photo))
    number = bench.fresh_numbers()
    for turn in range(count):
        match turn % 50:
            case 0:
                send(server, new.numbered(number + turn))
            case 1:
                send(server, form)
            case kind if kind < 22:
                send(server, known)
            case kind if kind < 38:
                send(server, refused[kind % 2])
            case kind:
                path = ("/api/v1/models", "/api/v1/billing/balance", "/livez", "/api/v1/nothing")[kind % 4]
                if server.ask("GET", path).status >= 500:
                    raise BenchmarkError(f"GET {path} failed.")
    memory = memory_bytes(server.pid)
    if memory is None:
        raise CannotMeasureError(NO_PROC)
    return float(memory[0])


CASES = (
    Case(
        "memory-16",
        "peak over idle of 16 edits at once, 33 MP and 25 MB each",
        "arithmetic: what two of them hold",
        "bytes",
        lambda bench: sixteen(bench, min(3, bench.rounds)),
        Goal(1.4, "1.0"),
    ),
    Case(
        "two-cores",
        "uncached edits a second on two cores, 1 MP JPEG",
        "on one core",
        "rate",
        lambda bench: second_core(bench, 24),
        Goal(1.6, "2.0", more=True),
    ),
    Case(
        "memory-growth",
        "resident memory at the end of 20,000 mixed requests",
        "a quarter of them earlier",
        "bytes",
        lambda bench: growth(bench, 20_000),
        Goal(1.01, "1.0"),
    ),
)
