"""A real redis-server of the tests' own, on a free port: started, killed, started again on its data, or held up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tools import missing, tool

_PATIENCE_S = 20.0


def on_redis() -> bool:
    """Whether the tests are to run on a real Redis wherever they do not say which store they mean."""
    return os.environ.get("VENICE_MOCK_TEST_STORE") == "redis"


class RedisServer:
    """One server. ``keeps``: it has its data again after it was killed, at the price of a wait for every write."""

    def __init__(self, command: str, folder: Path, *, keeps: bool) -> None:
        self._command = command
        self._folder = folder
        self._keeps = keeps
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port: int = chosen.getsockname()[1]

    def url(self, namespace: str = "default") -> str:
        """Its address, for ``--store``."""
        return f"redis://127.0.0.1:{self.port}/0?namespace={namespace}"

    def start(self) -> None:
        """Start it, with whatever data it wrote before, and wait until it answers."""
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        data = ["--appendonly", "yes" if self._keeps else "no", "--appendfsync", "always", "--save", ""]
        self._process = subprocess.Popen(
            [self._command, *where, *data, "--daemonize", "no"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + _PATIENCE_S
        while self.ask("PING") != b"+PONG\r\n":
            assert self._process.poll() is None, "redis-server did not start"
            assert time.monotonic() < end, "redis-server does not answer"

    def ask(self, command: str) -> bytes:
        """The raw answer to one command of plain words, or nothing."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(1 << 16)
        except OSError:
            return b""

    def names(self, part: str = "") -> list[str]:
        """The names of all keys that have this in them; so many as one packet holds."""
        words = self.ask(f"KEYS *{part}*").decode().split("\r\n")
        return sorted(word for word in words if word and word[0] not in "*$")

    def kill(self) -> None:
        """End it without a farewell."""
        self._send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(_PATIENCE_S)
            self._process = None

    def hang(self) -> None:
        """It takes connections, and answers no more."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """It answers again."""
        self._send(signal.SIGCONT)

    def _send(self, what: int) -> None:
        if self._process is not None:
            os.kill(self._process.pid, what)


@contextmanager
def running_redis(*, keeps: bool = True) -> Iterator[RedisServer]:
    """A fresh server; skips with a sentence, or fails in CI, where redis-server or its client is missing.

    ``keeps``: see RedisServer.
    """
    command = tool("redis-server")
    try:
        import redis  # noqa: F401 - only whether it is there
    except ModuleNotFoundError:
        missing("the redis client is not installed (pip install 'redis>=7')")
    with TemporaryDirectory() as folder:
        server = RedisServer(command, Path(folder), keeps=keeps)
        server.start()
        try:
            yield server
        finally:
            server.go_on()
            server.kill()
