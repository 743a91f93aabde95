"""The process as a whole: how soon it answers after its start, and how much memory the largest edit takes."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from functools import partial
from io import BytesIO

from PIL import Image

from benchmarks.cases import Bench, CannotMeasureError, Case, Goal
from benchmarks.measuring import Lap, Outcome, compare, interleave
from benchmarks.posts import Post, form_edit, json_edit, send
from benchmarks.processes import (
    REPOSITORY,
    SERVER,
    START_PATIENCE_S,
    BenchmarkError,
    cpu_seconds,
    end,
    environment,
    forget_peak,
    memory_bytes,
    running,
)
from benchmarks.scale_cases import NO_PROC

_IMPORTS = "import starlette.applications, PIL.Image"
_FIRST = "/api/v1/models"


def cold_start(bench: Bench) -> Outcome:
    """From the start of the process to its first answer, which the client asks for until it comes."""
    return compare(*interleave(bench.rounds + 2 * (not bench.quick), _first_answer, _import))


def cold_edit(bench: Bench) -> Outcome:
    """From the start of the process to the first edited picture."""
    return compare(*interleave(bench.rounds, partial(_first_edit, bench), _import))


def _first_answer() -> Lap:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    born = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "venice_mock", "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(os.environ),
        cwd=REPOSITORY,
    )
    try:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_PATIENCE_S)
            try:
                connection.request("GET", _FIRST)
                status = connection.getresponse().status
                break
            except ConnectionRefusedError as error:
                if process.poll() is not None or time.perf_counter() - born > START_PATIENCE_S:
                    raise BenchmarkError("The server did not start.") from error
                time.sleep(0.001)
            finally:
                connection.close()
        seconds, cpu = time.perf_counter() - born, cpu_seconds(process.pid)
    finally:
        end(process)
    if status != 200:
        raise BenchmarkError(f"GET {_FIRST} gave {status}.")
    return Lap([seconds], cpu)


def _first_edit(bench: Bench) -> Lap:
    with running(SERVER, bench.folder) as server:
        send(server, json_edit(bench.pictures.photo))
        return Lap([time.perf_counter() - server.born], cpu_seconds(server.pid))


def _import() -> Lap:
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", _IMPORTS], cwd=REPOSITORY, env=environment(os.environ))
    if hasattr(os, "wait4"):
        _, _, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = 0  # it has been waited for
        return Lap([seconds], used.ru_utime + used.ru_stime)
    process.wait()
    return Lap([time.perf_counter() - start])


def peak_memory(bench: Bench) -> Outcome:
    """The highest resident memory of a fresh server while it makes the largest edit, over what it had idle.

    The baseline is arithmetic: 4 bytes for each pixel of the decoded input and of the output, and the body once.
    """
    picture = bench.pictures.large_png
    post = form_edit(picture)
    laps = [_peak(bench, post) for _ in range(bench.rounds)]
    with Image.open(BytesIO(laps[0][1])) as answer:
        held = picture.pixels + answer.width * answer.height
    theory = float(4 * held + len(post.body))
    return compare([lap for lap, _ in laps], [Lap([theory])] * len(laps), "memory", floor=False)


def _peak(bench: Bench, post: Post) -> tuple[Lap, bytes]:
    with running(SERVER, bench.folder) as server:
        server.ask("GET", "/livez")
        forget_peak(server.pid)
        idle = memory_bytes(server.pid)
        answer = send(server, post)
        peak = memory_bytes(server.pid)
        if idle is None or peak is None:
            raise CannotMeasureError(NO_PROC)
        return Lap([float(peak[1] - idle[0])]), answer.body


_PYTHON = f"python -c '{_IMPORTS}'"

CASES = (
    Case(
        "cold-start",
        f"process start to the first 200 of GET {_FIRST}",
        _PYTHON,
        "seconds",
        cold_start,
        Goal(1.6, "1.0"),
    ),
    Case(
        "cold-edit",
        "process start to the first edited picture, 1 MP JPEG",
        _PYTHON,
        "seconds",
        cold_edit,
    ),
    Case(
        "memory-33mp",
        "peak over idle of a 33 MP PNG edit in a fresh server",
        "arithmetic: 4 bytes x pixels held (in and out) + the body",
        "bytes",
        peak_memory,
        Goal(1.25, "1.0"),
    ),
)
