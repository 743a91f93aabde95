"""Several server processes on one socket: started, watched, ended together. Knows nothing of what the app answers.

Each worker is a process of its own that takes connections from the one listening socket. The parent serves nothing:
it announces the address once every worker can answer, starts another for one that dies, and ends with all of them.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Semaphore
from types import FrameType

from venice_mock.settings import Settings

_LOOK_S = 0.1  # between two looks at the workers
_AGAIN_S = 0.5  # before another is started: one that cannot start is not tried as fast as the machine can
_PATIENCE_S = 60.0  # until all answer for the first time
_STOP_S = 45.0  # longer than a worker gives to what is in flight

Work = Callable[[Settings, socket.socket, Callable[[], None]], int]


def run_workers(
    settings: Settings,
    listener: socket.socket,
    work: Work,
    announce: Callable[[], None],
    logger: logging.Logger,
) -> int:
    """Serve with ``settings.workers`` processes until SIGINT or SIGTERM; the exit code, 0 after a clean end.

    ``work`` serves on the socket, says when it can answer, and returns its exit code.
    """
    return _Supervisor(settings, listener, work, logger).run(announce)


class _Supervisor:
    """The parent."""

    def __init__(
        self, settings: Settings, listener: socket.socket, work: Work, logger: logging.Logger
    ) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._ready: Semaphore = self._context.Semaphore(0)
        self._settings = settings
        self._listener = listener
        self._work = work
        self._logger = logger
        self._stop = False

    def run(self, announce: Callable[[], None]) -> int:
        """Start all, announce, watch, and end all."""
        before = {sig: signal.signal(sig, self._end) for sig in (signal.SIGINT, signal.SIGTERM)}
        workers = [self._start() for _ in range(self._settings.workers)]
        try:
            if self._all_answer(workers):
                announce()
                self._watch(workers)
        finally:
            clean = self._end_all(workers) and self._stop
            for sig, handler in before.items():
                signal.signal(sig, handler)
        return 0 if clean else 1

    def _start(self) -> BaseProcess:
        worker = self._context.Process(
            target=_serve, args=(self._work, self._settings, self._listener, self._ready)
        )
        worker.start()
        return worker

    def _end(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        self._stop = True

    def _all_answer(self, workers: list[BaseProcess]) -> bool:
        """Wait for each; false when one dies, none comes in time, or a signal comes first."""
        end, ready = time.monotonic() + _PATIENCE_S, 0
        while not self._stop:
            if self._ready.acquire(timeout=_LOOK_S):
                ready += 1
            if ready == len(workers):
                return True
            if time.monotonic() > end or not all(worker.is_alive() for worker in workers):
                if not self._stop:
                    self._logger.error("not ready: %s of %s workers answer", ready, len(workers))
                return False
        return False

    def _watch(self, workers: list[BaseProcess]) -> None:
        while not self._stop:
            time.sleep(_LOOK_S)
            for place, worker in enumerate(workers):
                if not worker.is_alive() and not self._stop:
                    self._logger.error(
                        "worker %s ended with %s: starting another", worker.pid, worker.exitcode
                    )
                    time.sleep(_AGAIN_S)
                    workers[place] = self._start()

    def _end_all(self, workers: list[BaseProcess]) -> bool:
        """Tell all to finish what is in flight; whether all did."""
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        end = time.monotonic() + _STOP_S
        for worker in workers:
            worker.join(max(0.0, end - time.monotonic()))
            if worker.is_alive():
                worker.kill()
                worker.join()
        return all(worker.exitcode in (0, -signal.SIGTERM) for worker in workers)  # the latter: not yet begun


def _serve(work: Work, settings: Settings, listener: socket.socket, ready: Semaphore) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    raise SystemExit(work(settings, listener, ready.release))


def _end_with_parent() -> None:
    """A parent that was killed told nobody to end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
