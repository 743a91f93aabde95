"""Load on a server from another process: wrk where it is installed, else a client of our own.

A slow client would make any two servers alike. So the server's CPU a request is read beside the requests a second,
and whoever judges takes the worse of the two.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measuring import Lap
from benchmarks.posts import MARK, Post
from benchmarks.processes import KEY, REPOSITORY, BenchmarkError, Server, cpu_seconds

_SCRIPT = Path(__file__).with_name("post.lua")
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Load:
    """So many connections for so long. ``first``: where numbered requests begin; None: all are the same.

    ``requests``: how many, whatever time they take. wrk cannot count, so our own client does that.
    """

    connections: int
    seconds: float
    first: int | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """What a load came to: requests answered, in how many seconds, with which median latency in seconds."""

    requests: int
    seconds: float
    p50: float
    cpu: float | None  # of the server, seconds a request

    def lap(self) -> Lap:
        """As a round of a case: requests a second."""
        return Lap([self.requests / self.seconds], self.cpu)


def generator() -> str:
    """The name of the client that is used here."""
    return "wrk" if shutil.which("wrk") else "benchmarks.asking"


def put_under(server: Server, post: Post, load: Load, folder: Path) -> Served:
    """Load the server. Raises BenchmarkError when an answer has another status than ``post`` says, or none."""
    with tempfile.NamedTemporaryFile(dir=folder) as body:
        body.write(post.body)
        body.flush()
        served = _once(server, post, load, body.name)
        while (
            not served.requests and load.seconds < _PATIENCE_S / 10
        ):  # too slow a machine for so short a time
            load = replace(load, seconds=2 * max(1.0, load.seconds))
            served = _once(server, post, load, body.name)
    if not served.requests:
        raise BenchmarkError(f"POST {post.path} under load: no answer in {load.seconds:.0f} s.")
    return served


def _once(server: Server, post: Post, load: Load, file: str) -> Served:
    before = cpu_seconds(server.pid)
    try:
        done = subprocess.run(
            _command(server, post, load, file),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=load.seconds + _PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"POST {post.path} under load: no end after {error.timeout:.0f} s.") from error
    after = cpu_seconds(server.pid)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise BenchmarkError(f"The load did not run: {done.stdout[-500:]}{done.stderr[-500:]}")
    told = json.loads(lines[-1])
    wrong = told["requests"] - told["refused"] if post.status >= 400 else told["refused"]
    if wrong or told["lost"]:
        raise BenchmarkError(f"POST {post.path} under load: {wrong} answers are not {post.status}; {told}")
    cpu = None if before is None or after is None else (after - before) / max(1, told["requests"])
    return Served(told["requests"], told["seconds"], told["p50"], cpu)


def _command(server: Server, post: Post, load: Load, file: str) -> list[str]:
    numbered = [] if load.first is None else [MARK, str(load.first)]
    if load.requests is not None or generator() != "wrk":
        words = [str(server.port), post.path, file, post.media_type, KEY, str(load.connections)]
        words += [str(_PATIENCE_S if load.requests else load.seconds), *numbered]
        words += [] if load.requests is None else [*["", "0"][len(numbered) :], str(load.requests)]
        return [sys.executable, "-m", "benchmarks.asking", *words]
    words = ["-t1", f"-c{load.connections}", f"-d{max(1, round(load.seconds))}s", "--timeout", "60s"]
    words += ["-s", str(_SCRIPT), f"http://127.0.0.1:{server.port}{post.path}"]
    return ["wrk", *words, "--", file, post.media_type, KEY, *numbered]
