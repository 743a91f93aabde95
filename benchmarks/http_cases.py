"""Requests a second against a bare Starlette app that reads the same body and sends the same answer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.cases import Bench, Case, Goal
from benchmarks.load import Load, put_under
from benchmarks.measuring import Lap, Outcome, compare, interleave
from benchmarks.posts import Post, json_edit, large_refusal, send, small_refusal
from benchmarks.processes import BASELINE, SERVER, Server, running

_CONNECTIONS = 4


def against_starlette(bench: Bench, post: Post, seconds: float) -> Outcome:
    """The server and the bare app in turn, each in its own process. The app sends what the server sent."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as answers, running(SERVER, bench.folder) as server:
        answer = send(server, post)
        name = "refusal.json" if answer.media_type == "application/json" else "picture"
        Path(answers, name).write_bytes(answer.body)
        with running((*BASELINE, answers), bench.folder) as floor:
            same = Post(f"/{name}", post.body, post.media_type, post.status)
            load = Load(_CONNECTIONS, bench.seconds(seconds))

            def lap(of: Server, sent: Post) -> Lap:
                return put_under(of, sent, load, bench.folder).lap()

            laps = interleave(bench.rounds, partial(lap, server, post), partial(lap, floor, same))
            return compare(*laps, "requests a second", judged="rate")


def _cached(name: str, body: int, shown: str, least: float) -> Case:
    def run(bench: Bench) -> Outcome:
        # A body is its picture in base64 and 50 bytes of JSON.
        return against_starlette(bench, json_edit(bench.pictures.small((body - 50) * 3 // 4)), 2)

    ours = f"the same edit again and again, body of {shown}; key, ledger and journal as always"
    goal = Goal(least, "1.0 less a digest", more=True)
    return Case(name, ours, "bare Starlette reads the same body, sends the same bytes", "rate", run, goal)


def _refusal(name: str, ours: str, post: Callable[[Bench], Post]) -> Case:
    def run(bench: Bench) -> Outcome:
        return against_starlette(bench, post(bench), 2)

    baseline = "bare Starlette reads the same body, sends the same JSON"
    return Case(name, ours, baseline, "rate", run, Goal(0.7, "1.0", more=True))


CASES = (
    _cached("cached-28k", 28_000, "28 kB", 0.8),
    _cached("cached-220k", 220_000, "220 kB", 0.8),
    _cached("cached-1700k", 1_700_000, "1.7 MB", 0.7),
    _refusal("refusal", "400 with two faults, body of 73 bytes", lambda _: small_refusal()),
    _refusal(
        "refusal-300k", "400 for one field beside 300 kB", lambda bench: large_refusal(bench.pictures.photo)
    ),
)
