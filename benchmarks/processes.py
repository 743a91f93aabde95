"""Processes that are measured: starting them, asking them over HTTP, and what the system counted for them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_PATIENCE_S = 60.0
ANSWER_PATIENCE_S = 120.0
REPOSITORY = Path(__file__).resolve().parent.parent

# Enough money for any number of edits; everything else as a user gets it.
SERVER = ("venice_mock", "serve", "--port", "0", "--balance", "1000000")
BASELINE = ("benchmarks.baseline_app",)
KEY = "Bearer mock_ok"


class BenchmarkError(Exception):
    """What is measured did not do what it is measured for. The text says what and shows its last words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, and the seconds from the first byte sent to the last byte read."""

    status: int
    body: bytes
    media_type: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with one keep-alive connection to it. ``born`` is when its process was started."""

    pid: int
    port: int
    born: float
    connection: http.client.HTTPConnection

    def ask(self, method: str, path: str, body: bytes = b"", media_type: str = "") -> Answer:
        """One request. Raises OSError or HTTPException when the connection breaks."""
        headers = {"Content-Type": media_type, "Authorization": KEY} if media_type else {}
        start = time.perf_counter()
        self.connection.request(method, path, body or None, headers)
        response = self.connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - start
        return Answer(response.status, content, response.getheader("Content-Type", ""), seconds)


@contextlib.contextmanager
def running(module: Sequence[str], folder: Path, cores: Collection[int] = ()) -> Iterator[Server]:
    """``python -m module...`` from its ready line to its end. Raises BenchmarkError when it never is ready.

    ``folder`` receives what it writes to stderr. ``cores``: the only ones that it may use.
    """
    words = folder / f"{module[0]}.stderr"
    born = time.perf_counter()
    with words.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(os.environ),
            cwd=REPOSITORY,
        )
    if cores and sys.platform == "linux":
        os.sched_setaffinity(process.pid, cores)
    patience = threading.Timer(START_PATIENCE_S, process.kill)  # ends readline, should nothing come
    patience.start()
    try:
        ready = process.stdout.readline() if process.stdout else b""
        patience.cancel()
        if not ready:
            process.wait()
            last = words.read_text(errors="replace").strip()[-2000:]
            raise BenchmarkError(f"{' '.join(module)} ended before it was ready.\n{last}")
        port = json.loads(ready)["port"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_PATIENCE_S)
        with contextlib.closing(connection):
            yield Server(process.pid, port, born, connection)
    finally:
        patience.cancel()
        end(process)
        if process.stdout:
            process.stdout.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and make it, should it not."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a measured process: the user's, without what would change the server's settings.

    Without bytecode on disk a start would measure the compiler: for both sides, but not for both alike.
    """
    return {
        name: value
        for name, value in given.items()
        if not name.startswith("VENICE_MOCK_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def cpu_seconds(pid: int) -> float | None:
    """CPU time of all threads of a process so far; None where the system does not tell.

    Linux has a clock for each process, to the nanosecond; /proc/PID/stat has the same in steps of 10 ms.
    """
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes the clock's number
    except OSError:
        after_name = stat.read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / float(os.sysconf("SC_CLK_TCK"))


def memory_bytes(pid: int) -> tuple[int, int] | None:
    """Resident memory of a process now and at its highest, in bytes; None where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    now, highest = (int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, highest


def forget_peak(pid: int) -> None:
    """Let the highest resident memory of a process count from now on, where the system can."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
