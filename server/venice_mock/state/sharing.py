"""What processes that share a store tell each other of their sessions. Only values and the interface live here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from venice_mock.state.store import Store


def _drawn() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Record:
    """A session: what it was told, and what it was opened with.

    ``life`` is drawn when it is opened, ``version`` whenever it is told something else.
    """

    said: Mapping[str, Any]
    beginning: Mapping[str, Any]
    life: str = field(default_factory=_drawn)
    version: str = field(default_factory=_drawn)


class ForgettingStore(Store, Protocol):
    """A store that outlives the process, and so has to be told when its session is over."""

    async def forget(self) -> None:
        """Remove all that belongs to the session."""
        ...


class SharedSessions(Protocol):
    """The register that processes have in common, and the stores of its sessions. May raise StoreUnavailable."""

    def store(self, name: str, life: str) -> ForgettingStore:
        """The state of a session. ``life``: empty for the default one, which is always open."""
        ...

    async def find(self, name: str) -> Record | None:
        """The session's record, if it is open; of the default one, if it was ever told anything."""
        ...

    async def add(self, name: str, record: Record, *, most: int) -> Literal["added", "taken", "full"]:
        """Open a session."""
        ...

    async def replace(self, name: str, before: Record | None, record: Record) -> bool:
        """Tell a session something else; False, and nothing is done, when ``before`` is not what it was told last."""
        ...

    async def remove(self, name: str) -> Record | None:
        """End a session; what its record was, if it was open."""
        ...

    async def all(self) -> dict[str, Record]:
        """Every session but the default one, in the order of their opening."""
        ...

    async def close(self) -> None:
        """Let go of the store."""
        ...
