"""Choices that a seed makes: a stream of integers out of a digest, the same everywhere and for ever."""

from __future__ import annotations

import hashlib


class Draws:
    """Integers drawn one after another from ``seed``. Belongs to one picture; not shared between threads."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0
        self._left: list[int] = []

    def below(self, bound: int) -> int:
        """An integer from 0 to ``bound`` - 1; the bias of the remainder is far below one in a million."""
        if not self._left:
            block = hashlib.sha256(self._seed + self._count.to_bytes(8, "big")).digest()
            self._count += 1
            self._left = [int.from_bytes(block[i : i + 8], "big") for i in range(0, 32, 8)]
        return self._left.pop() % bound

    def between(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``, both possible."""
        return low + self.below(high - low + 1)

    def fork(self, label: str) -> Draws:
        """A stream of its own, so that one step's draws do not move another's."""
        return Draws(hashlib.sha256(self._seed + label.encode()).digest())
