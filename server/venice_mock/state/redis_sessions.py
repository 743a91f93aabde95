"""The register of sessions on Redis or Valkey: which are open, under what config, in whichever process they were.

A session that nobody uses for a week is forgotten. Its state lies under names that are its own: who opens a
session under the name of one that ended finds nothing of it.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from venice_mock.state.redis_link import Call, RedisLink
from venice_mock.state.redis_store import LIFE_S, RedisStore, script
from venice_mock.state.sharing import Record, Told
from venice_mock.state.store import Store, StoreUnavailable

_CURRENT_S = (
    60.0  # ours: so long the options of a process that is not heard of any more are compared with others
)


class RedisSessions:
    """The register, and the stores of its sessions."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._prefix = f"venice-mock:{{{link.namespace}}}:"

    def store(self, name: str, life: str) -> RedisStore:
        """See SharedSessions."""
        own = f"{name}.{life}" if life else name
        return RedisStore(self._link, f"venice-mock:{{{self._link.namespace}:{own}}}:")

    async def find(self, name: str, known: Store | None = None) -> Record | None:
        """See SharedSessions."""
        if not isinstance(known, RedisStore):
            return _record(await self._run("find", name, again=True))
        try:
            find: Call = script("sessions.lua"), self._prefix, ("find", round(LIFE_S * 1000), name)
            record, seen = await self._link.run_both(find, known.look)
        except StoreUnavailable:
            await known.saw(None)
            raise
        await known.saw(seen)
        return _record(record)

    async def add(self, name: str, record: Record, *, most: int) -> Literal["added", "taken", "full"]:
        """See SharedSessions."""
        done: Literal["added", "taken", "full"] = await self._run(
            "add", name, _text(record), most, again=False
        )
        return done

    async def replace(self, name: str, before: Record | None, record: Record) -> bool:
        """See SharedSessions."""
        version = "" if before is None else before.version
        return bool(await self._run("replace", name, version, _text(record), again=False))

    async def remove(self, name: str) -> Record | None:
        """See SharedSessions."""
        return _record(await self._run("remove", name, again=False))

    async def all(self) -> dict[str, Record]:
        """See SharedSessions."""
        found = {name: _record(text) for name, text in await self._run("list", again=True)}
        return {name: record for name, record in found.items() if record is not None}

    async def tell_counts(
        self, process: str, number: int, counted: str, present: str, *, silence_s: float
    ) -> None:
        """See SharedSessions."""
        silence = round(silence_s * 1000)
        await self._run("tell_counts", process, number, counted, present, silence, again=True)

    async def counts(self) -> Told:
        """See SharedSessions."""
        sessions, processes = await self._run("counts", again=True)
        return Told([(name, counted, present) for name, counted, present in processes], sessions)

    async def check(self, options: str) -> str | None:
        """See SharedSessions."""
        kept = round(_CURRENT_S * 1000)
        other: str | None = await self._run("check", options, kept, again=True, writes=True)
        return other

    def fault(self) -> str | None:
        """See SharedSessions."""
        fault = self._link.fault
        return None if fault is None or fault.passes else f"The store at {self._link.place} {fault.text}."

    async def close(self) -> None:
        """Close the way to the server."""
        await self._link.close()

    async def _run(self, verb: str, *arguments: str | int, again: bool, writes: bool = False) -> Any:
        asked = (verb, round(LIFE_S * 1000), *arguments)
        return await self._link.run(script("sessions.lua"), self._prefix, *asked, again=again, writes=writes)


def _text(record: Record) -> str:
    return f"{record.version}|{record.life}|" + json.dumps([record.said, record.beginning])


def _record(text: str | None) -> Record | None:
    if text is None:
        return None
    version, life, rest = text.split("|", 2)
    said, beginning = json.loads(rest)
    return Record(said, beginning, life, version)
