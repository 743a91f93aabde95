"""The counts of all processes that share a store, so that whichever is asked tells those of the whole server.

Each process counts for itself, and tells what it counted a moment after that changed. What a process told stays when
it ends, or counters would fall. No HTTP here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress

from venice_mock.control.metrics import Metrics
from venice_mock.state.sharing import SharedSessions
from venice_mock.state.store import StoreUnavailable

PAUSE_S = 0.5  # ours: so old may be what another process tells


class Counts:
    """What this process counts, and the others. ``sessions`` None: there are none."""

    def __init__(self, metrics: Metrics, sessions: SharedSessions | None) -> None:
        self.metrics = metrics
        self._sessions = sessions
        self._process = secrets.token_hex(8)
        self._others: Mapping[str, str] = {}  # as they were read last
        self._telling: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Something was counted: tell it soon."""
        if self._sessions is not None and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell_later())

    async def tell(self) -> None:
        """Tell what was counted, unless the store is lost."""
        if self._sessions is not None:
            with suppress(StoreUnavailable):
                await self._sessions.tell_counts(self._process, self.metrics.packed())

    async def all(self) -> Metrics:
        """The counts of all together; while the store is lost, those of the others as they were told last."""
        if self._sessions is None:
            return self.metrics
        with suppress(StoreUnavailable):
            self._others = await self._sessions.counts()
        total = Metrics()
        total.add(self.metrics.packed())
        for process, packed in self._others.items():
            if process != self._process:
                total.add(packed)
        return total

    async def _tell_later(self) -> None:
        await asyncio.sleep(PAUSE_S)
        await self.tell()
