"""What processes that share a store tell each other of their sessions. Only values and interfaces live here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from venice_mock.state.journal import Budget, Journal
from venice_mock.state.rules import RuleBook
from venice_mock.state.store import Store


def _drawn() -> str:
    return secrets.token_hex(8)


class Record(msgspec.Struct, frozen=True):
    """A session: what it was told, and what it was opened with.

    ``life`` is drawn when it is opened, ``version`` whenever it is told something else.
    """

    said: Mapping[str, Any]
    beginning: Mapping[str, Any]
    life: str = msgspec.field(default_factory=_drawn)
    version: str = msgspec.field(default_factory=_drawn)


class Told(msgspec.Struct, frozen=True):
    """What processes told of their counts.

    ``processes``: each one's name, what it counted, and what is now, empty where that is not known any more.
    ``sessions``: how many are open, the default one left out.
    """

    processes: list[tuple[str, str, str]]
    sessions: int


class SharedStore(Store, Protocol):
    """A session's store outside the process, with what else its processes have in common."""

    @property
    def rules(self) -> RuleBook:
        """The session's rules."""
        ...

    def journal(self, budget: Budget, limit: int) -> Journal:
        """A journal in which the stories of all processes can be read; the bounds are those of this one."""
        ...

    async def forget(self) -> None:
        """The session is over: remove all that belongs to it."""
        ...


class SharedSessions(Protocol):
    """The register that processes have in common, and the stores of its sessions. May raise StoreUnavailable."""

    def store(self, name: str, life: str) -> SharedStore:
        """The state of a session. ``life``: empty for the default one, which is always open."""
        ...

    async def find(self, name: str, known: Store | None = None) -> Record | None:
        """The session's record, if it is open; of the default one, if it was ever told anything.

        ``known``: its state, so far as it is known here; it is told in the same step what is now the session's
        clock, and which are its rules.
        """
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

    async def tell_counts(
        self, process: str, number: int, counted: str, present: str, *, silence_s: float
    ) -> None:
        """What a process counted since its start, and what is now, instead of what it told before.

        ``number`` grows with each telling: one that comes late changes nothing. ``present`` is forgotten after
        ``silence_s`` seconds; empty: at once.
        """
        ...

    async def counts(self) -> Told:
        """What each told last, those that ended too."""
        ...

    async def check(self, options: str) -> str | None:
        """Make sure that writes are taken, and tell with what options this process runs.

        Those of the process that told its own before, a moment ago, if they are others.
        """
        ...

    def fault(self) -> str | None:
        """What was found out to be wrong with the store and does not pass by waiting, as a sentence."""
        ...

    async def close(self) -> None:
        """Let go of the store."""
        ...
