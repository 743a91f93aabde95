"""Where images are worked on: as many threads as cores, a budget of pixels that may be in memory at once, and what
was read and made before.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from PIL._imaging import set_block_size

from venice_mock.edit.readings import Readings
from venice_mock.edit.results import Results

T = TypeVar("T")
_BLOCK_BYTES = 64 << 20


class PixelBudget:
    """Admission by pixels, or bytes, first come first served. One that is larger than the whole budget goes alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def used(self) -> int:
        """Pixels admitted and not yet given back."""
        return self._used

    @property
    def waiting(self) -> int:
        """How many wait to be admitted."""
        return sum(not place.done() for _, place in self._waiting)

    async def acquire(self, pixels: int) -> None:
        """Wait until ``pixels`` fit beside what is in work, and count them."""
        if not self._waiting and self._fits(pixels):
            self._used += pixels
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (pixels, place)
        self._waiting.append(entry)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():  # never admitted
                if entry in self._waiting:
                    self._waiting.remove(entry)
                self._admit_waiting()
            else:  # admitted in the moment of leaving
                self.release(pixels)
            raise

    def release(self, pixels: int) -> None:
        """Give admitted pixels back and let the next ones in."""
        self._used -= pixels
        self._admit_waiting()

    def _fits(self, pixels: int) -> bool:
        return self._used == 0 or self._used + pixels <= self._limit

    def _admit_waiting(self) -> None:
        while self._waiting and (self._waiting[0][1].done() or self._fits(self._waiting[0][0])):
            pixels, place = self._waiting.popleft()
            if place.done():  # its caller has left and not yet said so
                continue
            self._used += pixels
            place.set_result(None)


class Workshop:
    """Threads, pixel budget and results of one process. Close it when the server stops."""

    def __init__(
        self,
        max_inflight_pixels: int,
        threads: int | None = None,
        *,
        max_inflight_bytes: int = 72_000_000,
        cache_bytes: int = 0,
    ) -> None:
        # Pillow's memory in blocks so large that the C library maps them and gives them back: freed pictures of
        # other threads would otherwise stay, and the budget would bound pixels but not memory (306 for 173 MiB).
        set_block_size(_BLOCK_BYTES)
        self.budget = PixelBudget(max_inflight_pixels)
        self.bodies = PixelBudget(max_inflight_bytes)
        self.results = Results(cache_bytes)
        self.readings = Readings(self.results)
        self.in_work = 0  # pictures in the hands of a thread, or next in line for one
        self._threads = ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="workshop")

    async def run(self, pixels: int, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread once ``pixels`` are admitted.

        A caller that is cancelled stops waiting at once, and work that has not begun is dropped. Work that
        has begun cannot be stopped, so its pixels stay counted until it ends: the budget bounds memory.
        """
        await self.budget.acquire(pixels)
        loop = asyncio.get_running_loop()
        try:
            job = self._threads.submit(work)
        except RuntimeError:  # the workshop is closed
            self.budget.release(pixels)
            raise
        self.in_work += 1
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done, pixels))
        return await asyncio.wrap_future(job)

    def _done(self, pixels: int) -> None:
        self.in_work -= 1
        self.budget.release(pixels)

    def close(self) -> None:
        """Let work in hand finish and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
