"""The processes of a soak: a Redis server on a free port and its data, the mock's workers, and their memory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import REPOSITORY, BenchmarkError, environment, memory_bytes
from benchmarks.soak.memory import Sample

_PATIENCE_S = 60.0
_LOOK_S = 1.0
BALANCE = 1_000_000
# The journal is full soon, and the money does not run out; everything else as a user gets it.
_OPTIONS = (
    *("--balance", str(BALANCE), "--journal-bytes", str(8 << 20)),
    *("--log-level", "warning", "--log-format", "json"),
)


class Redis:
    """A server of our own, which writes each change to its file before it answers."""

    def __init__(self, command: str, folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port: int = chosen.getsockname()[1]

    @property
    def url(self) -> str:
        """Its address, for ``--store``."""
        return f"redis://127.0.0.1:{self.port}/0?namespace=soak"

    def start(self) -> None:
        """Start it on the data that it has. Raises BenchmarkError when it does not answer."""
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        data = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self._process = subprocess.Popen(
            [self._command, *where, *data, "--daemonize", "no"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + _PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise BenchmarkError(f"redis-server does not answer on port {self.port}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without a farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE_S)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def redis(folder: Path) -> Iterator[Redis]:
    """A fresh server that keeps its data in the folder. Raises BenchmarkError where there is none to start."""
    command = shutil.which("redis-server") or shutil.which("valkey-server")
    if command is None:
        raise BenchmarkError("redis-server is not installed (Debian: apt-get install redis-server)")
    server = Redis(command, folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@dataclass
class Mock:
    """The mock's parent process and where it listens. ``log``: what it and its workers wrote to stderr."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def workers(self) -> list[int]:
        """Their process ids; none where the system does not tell."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            found = [int(child) for child in children.read_text("ascii").split()]
            return [pid for pid in found if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text("utf-8")]
        except OSError:
            return []

    def complaints(self, *, store_away: bool) -> list[str]:
        """What it wrote of itself, warnings and worse: a run in which all goes as ordered has none.

        ``store_away``: the store was taken from it, and it is right to say so.
        """
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        right = '"message": "the store at ' if store_away else None
        return [line[:500] for line in lines if line.strip() and (right is None or right not in line)]


@contextmanager
def mock(store: str, workers: int, options: tuple[str, ...], folder: Path) -> Iterator[Mock]:
    """The mock on this store, from its ready line to its clean end. Raises BenchmarkError when either fails."""
    shared = ("--store", store, "--workers", str(workers))
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", *_OPTIONS, *shared, *options]
    log = folder / "mock.log"
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(os.environ),
            cwd=REPOSITORY,
        ) as process,
    ):
        patience = threading.Timer(_PATIENCE_S, process.kill)  # ends readline, should nothing come
        patience.start()
        try:
            ready = process.stdout.readline() if process.stdout else ""
            patience.cancel()
            if not ready:
                raise BenchmarkError(f"The mock was not ready.\n{log.read_text('utf-8')[-2000:]}")
            yield Mock(process, json.loads(ready)["port"], log)
        finally:
            patience.cancel()
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
        if code != 0:
            raise BenchmarkError(f"The mock ended with {code}.\n{log.read_text('utf-8')[-2000:]}")


@dataclass
class Watch:
    """Looks at the memory of processes once a second, until it is stopped."""

    pids: list[int]
    samples: dict[int, list[Sample]] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Looks while in here."""
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        start = time.monotonic()
        while True:
            for pid in self.pids:
                found = memory_bytes(pid)
                if found is not None:
                    self.samples.setdefault(pid, []).append(Sample(time.monotonic() - start, found[0]))
            if self._over.wait(_LOOK_S):
                return
