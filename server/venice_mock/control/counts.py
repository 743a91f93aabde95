"""The counts of all processes that share a store, so that whichever is asked tells those of the whole server.

Each process counts for itself, and tells what it counted a moment after that changed, and before it is read. What a
process told of its counts stays when it ends, or counters would fall; what it told of the present (pictures in work,
memory) is forgotten when it ends, and soon after it falls silent. No HTTP here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from venice_mock.control.metrics import Metrics
from venice_mock.edit.workshop import Workshop
from venice_mock.logs import LOGGER
from venice_mock.state.sharing import SharedSessions
from venice_mock.state.store import StoreUnavailable
from venice_mock.tenancy import Tenants

PAUSE_S = 0.5  # ours: so old may be what another process tells of its counts
BEAT_S = 5.0  # ours: so old may be what it tells of the present while nothing is counted
SILENCE_S = 3 * BEAT_S  # ours: of who is silent for so long the present is not known


class Counts:
    """What this process counts, and the others. ``sessions`` None: there are none.

    ``started_at``: when the application was made, in Unix seconds.
    """

    def __init__(
        self, tenants: Tenants, workshop: Workshop, sessions: SharedSessions | None, *, started_at: float
    ) -> None:
        self.metrics = Metrics(started_at=started_at)
        self._tenants = tenants
        self._workshop = workshop
        self._sessions = sessions
        self._process = secrets.token_hex(8)
        self._told = 0  # how often
        self._telling: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Something was counted: tell it soon."""
        if self._sessions is not None and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell_later())

    async def tell(self) -> None:
        """Tell what was counted, and what is now. Raises StoreUnavailable."""
        if self._sessions is not None:
            await self._say(self._sessions, json.dumps(self._present()))

    async def end(self) -> None:
        """The process ends: tell what was counted for the last time, unless the store is lost."""
        if self._sessions is not None:
            await _stopped(self._telling)
            with suppress(StoreUnavailable):
                await self._say(self._sessions, "")

    async def all(self) -> tuple[Metrics, Mapping[str, int]]:
        """The counts of all together, and what is now, by name. Raises StoreUnavailable.

        What one process answered no other falls behind: only what was told before is added up. So nothing is
        answered while the store is lost; each process would know another part of it.
        """
        if self._sessions is None:
            present = self._present()
            return self._counted(), {**present, "processes": 1, "sessions": len(self._tenants)}
        await self.tell()
        told = await self._sessions.counts()
        total, levels = Metrics(), Counter[str](processes=0, sessions=1 + told.sessions)
        for _, counted, present_text in sorted(
            told.processes
        ):  # in one order: sums of fractions depend on it
            total.add(counted)
            if present_text:
                levels.update(json.loads(present_text))
                levels["processes"] += 1
        return total, levels

    @asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator[None]:
        """Tell now and then, also while nothing is counted; at the end, for the last time."""
        beating = None if self._sessions is None else asyncio.create_task(self._beat())
        try:
            yield
        finally:
            await _stopped(beating)
            await self.end()

    def _present(self) -> dict[str, int]:
        """What is in work, kept and waiting here."""
        shop = self._workshop
        return {
            "pictures_in_work": shop.in_work,
            "pictures_waiting": shop.budget.waiting,
            "pixels_in_work": shop.budget.used,
            "cache_entries": len(shop.results),
            "cache_bytes": shop.results.bytes,
            "bodies_waiting": shop.bodies.waiting,
            "body_bytes": shop.bodies.used,
            "journal_bytes": self._tenants.journal_bytes,
        }

    async def _say(self, sessions: SharedSessions, present: str) -> None:
        self._told += 1
        await sessions.tell_counts(
            self._process, self._told, self._counted().packed(), present, silence_s=SILENCE_S
        )

    def _counted(self) -> Metrics:
        results = self._workshop.results
        self.metrics.cache = Counter(hits=results.hits, misses=results.misses, evictions=results.evictions)
        return self.metrics

    async def _tell_later(self) -> None:
        await asyncio.sleep(PAUSE_S)
        with suppress(StoreUnavailable):
            await self.tell()

    async def _beat(self) -> None:
        while True:
            try:
                await self.tell()
            except StoreUnavailable:
                pass  # it is told of by whoever finds it out
            except Exception:  # a defect of ours: the next beat may do better, and others see us meanwhile
                logging.getLogger(LOGGER).exception("the counts could not be told")
            await asyncio.sleep(BEAT_S)


async def _stopped(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
