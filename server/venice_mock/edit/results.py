"""Pictures that were made before. An edit is a function of its order, so nobody need paint the same one twice.

Bounded by bytes; what was not asked for longest goes first. Who asks for a picture that is just being made waits
for that one. The results live as long as the process, so they outlive a reset of a session, which changes no
picture, and need not tell one version of the code from another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

_ENTRY_BYTES = 500  # ours: what an entry weighs beside its pictures, rather too much than too little


class Result(msgspec.Struct, frozen=True):
    """A finished picture as a file, and for the journal the input and itself in small, where those were made."""

    image: bytes
    before: bytes | None = None
    after: bytes | None = None

    @property
    def bytes(self) -> int:
        """What it weighs in memory."""
        return _ENTRY_BYTES + len(self.image) + len(self.before or b"") + len(self.after or b"")


class _Making(msgspec.Struct):
    """A picture that is being made, and how many wait for it."""

    task: asyncio.Task[Result]
    waiting: int = 0


class Results:
    """The results of one process. ``limit``: bytes that may be kept; with 0 every picture is made for its own asker.

    ``hits`` counts those who got what was kept or being made, ``misses`` what was made, ``evictions`` what had to go.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self.lent = 0  # bytes of the limit that go to something else
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        self._kept: dict[bytes, Result] = {}  # what was asked for last stands last
        # An application in process may be called from several loops, and a task is awaited in its own alone.
        self._making: dict[tuple[asyncio.AbstractEventLoop, bytes], _Making] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def kept(self, key: bytes) -> Result | None:
        """What was made for ``key``, if it is still here. Only who gets something is counted."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._kept[key] = kept
            self.hits += 1
        return kept

    async def get(self, key: bytes, make: Callable[[], Awaitable[Result]]) -> Result:
        """What was made for ``key``, or what ``make`` makes now, for all who ask meanwhile.

        Raises what ``make`` raises, to each of them; a failure is not kept. It is cancelled when the last of them
        stops waiting, and by nobody who leaves before.
        """
        if not self.limit:
            return await make()
        kept = self.kept(key)
        if kept is not None:
            return kept
        place = (asyncio.get_running_loop(), key)
        making = self._making.get(place)
        if making is None:
            self.misses += 1
            making = self._making[place] = _Making(asyncio.ensure_future(self._make(key, make)))
        else:
            self.hits += 1
        making.waiting += 1
        try:
            return await asyncio.shield(making.task)
        finally:
            making.waiting -= 1
            if not making.waiting:
                making.task.cancel()  # which does nothing to one that is done
                if self._making.get(place) is making:
                    del self._making[place]  # from here on nobody joins it

    async def _make(self, key: bytes, make: Callable[[], Awaitable[Result]]) -> Result:
        result = await make()
        if result.bytes <= self.limit:
            self._keep(key, result)
        return result

    def _keep(self, key: bytes, result: Result) -> None:
        replaced = self._kept.pop(key, None)
        self._kept[key] = result
        self.bytes += result.bytes - (0 if replaced is None else replaced.bytes)
        self._make_room()

    def lend(self, amount: int) -> None:
        """Leave so many bytes of the limit to something else."""
        self.lent = amount
        self._make_room()

    def _make_room(self) -> None:
        while self._kept and self.bytes + self.lent > self.limit:
            self.bytes -= self._kept.pop(next(iter(self._kept))).bytes
            self.evictions += 1
