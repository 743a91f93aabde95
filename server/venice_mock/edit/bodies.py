"""Which bodies are read when: a large one waits outside, in its client and the network, until there is room for it.

Nothing of a body that waits is received, so the system's flow control holds the client back. A request takes its
place once, for all that it may send, and from then on only gives back: nobody waits for bytes while holding some.
"""

from __future__ import annotations

from collections.abc import Awaitable
from types import TracebackType
from typing import Protocol

SMALL = (
    1 << 20
)  # ours: bytes that are not worth a queue: what large uploads wait for shall not keep these waiting


class ByteBudget(Protocol):
    """What counts the bytes of all requests together."""

    async def acquire(self, amount: int, /) -> None:
        """Wait until ``amount`` fits, and count it."""
        ...

    def release(self, amount: int, /) -> None:
        """Give it back."""
        ...


class Place:
    """One request's part of the budget, given back when the ``with`` statement ends."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._held = 0

    def admit(self, announced: int | None, limit: int, received: int) -> Awaitable[None] | None:
        """What to await before more may be received than the ``received`` bytes; None: nothing.

        ``announced``: the length of the body, if it was told; else it counts as ``limit`` once it is not small.
        """
        size = limit if announced is None else min(announced, limit)
        if self._held == 0 and size > SMALL and (announced is not None or received > SMALL):
            return self._take(size)
        return None

    async def _take(self, size: int) -> None:
        await self._budget.acquire(size)
        self._held = size

    def keep(self, size: int) -> None:
        """No more than ``size`` bytes are left of what was read."""
        if size < self._held:
            self._budget.release(self._held - size)
            self._held = size

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.keep(0)
