"""The register of sessions: which are open, where they come, change and go.

Another plan makes another tenant over the same state, and the register swaps them in one step, so that a request sees
one config from its first line to its last. Where the store is shared, so is the register: a session may be opened,
changed and ended by any process, and every other finds it so. No HTTP here.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from venice_mock.contract import Editions
from venice_mock.edit.workshop import Workshop
from venice_mock.logs import LOGGER
from venice_mock.settings import Settings
from venice_mock.state.journal import Budget
from venice_mock.state.sharing import Record, SharedSessions
from venice_mock.tenant import Builder, Plan, Tenant, plan_of_server, same_paths

DEFAULT = "default"
MOST_SESSIONS = 10_000  # ours
# Options in which processes that share a store have to be alike, or one request in two is answered otherwise.
_ALIKE = ("edition", "behavior", "limits", "balance", "default_model", "engine", "caption", "seed", "pure")
_MOST_TOLD = 100  # ours: processes with other options that the log tells of
_NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")


class NoSession(LookupError):
    """There is no session of that name, or not any more."""


class NameTaken(Exception):
    """A session of that name is open."""


class TooManySessions(Exception):
    """As many sessions are open as may be."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What ties the registers of several processes together.

    ``plan_of``: the plan of a session that was told this. ``storable``: the same without secrets.
    """

    sessions: SharedSessions
    plan_of: Callable[[Tenants, Mapping[str, Any]], Plan]
    storable: Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Tenants:
    """The register of sessions: the one place where they come, change and go.

    Raises ContractError or ValueError for settings that cannot be served. With ``sharing``, whatever is awaited
    here may raise StoreUnavailable.
    """

    def __init__(
        self,
        settings: Settings,
        workshop: Workshop,
        *,
        wall_clock: Callable[[], float] = time.time,
        most: int = MOST_SESSIONS,
        sharing: Sharing | None = None,
    ) -> None:
        self._builder = Builder(workshop, Editions(), wall_clock, Budget(settings.journal_bytes))
        self.most = most
        self._sharing = sharing
        self._records: dict[str, Record | None] = {}  # what of those that are open here was read last
        self._other_options: set[str] = set()  # of other processes, as the log was told
        self._names: random.Random = (
            random.SystemRandom() if settings.seed is None else random.Random(f"sessions:{settings.seed}")
        )
        self.plan = plan_of_server(settings)
        store = None if sharing is None else sharing.sessions.store(DEFAULT, "")
        self._open = {DEFAULT: self._builder.build(DEFAULT, self.plan, store=store)}

    @property
    def default(self) -> Tenant:
        """The session of bare paths, as it is known here."""
        return self._open[DEFAULT]

    @property
    def edition(self) -> str:
        """The name of the edition that the server was started with, also where that is a file."""
        return self._builder.editions.edition(self.plan.settings.edition).edition

    @property
    def journal_bytes(self) -> int:
        """What all journals hold together."""
        return self._builder.budget.used

    @property
    def is_shared(self) -> bool:
        """Whether other processes have the same sessions."""
        return self._sharing is not None

    def get(self, name: str) -> Tenant:
        """The session of that name, as it is known here. Raises NoSession."""
        try:
            return self._open[name]
        except KeyError:
            raise NoSession from None

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, name: str) -> bool:
        return name in self._open

    def __iter__(self) -> Iterator[Tenant]:
        """All sessions that are known here, the default one first, then in the order of their opening."""
        return iter(tuple(self._open.values()))

    async def find(self, name: str) -> Tenant:
        """The session of that name as it is now, whoever opened or changed it. Raises NoSession."""
        if self._sharing is not None:
            known = self._open.get(name)
            store = None if known is None else known.session.store
            self._learn(name, await self._sharing.sessions.find(name, store))
        return self.get(name)

    async def all(self) -> list[Tenant]:
        """All sessions, the default one first, then in the order of their opening."""
        if self._sharing is not None:
            records = await self._sharing.sessions.all()
            for name in self._open.keys() - records.keys() - {DEFAULT}:
                self._drop(name)
            for name, record in records.items():
                self._learn(name, record)
            return [self.default, *(self._open[name] for name in records)]
        return list(self)

    async def open(self, name: str | None, plan: Plan) -> Tenant:
        """A new session; None: of a name that is free. Raises NameTaken, TooManySessions, ValueError as ``build``."""
        if self._sharing is None:
            if len(self._open) > self.most:  # the default one does not count
                raise TooManySessions
            if name is None:
                name = self._free_name()
            elif name in self._open:
                raise NameTaken
            return self._kept(self._builder.build(name, plan))
        if name == DEFAULT:
            raise NameTaken
        while True:
            said = self._sharing.storable(plan.said)
            wanted, record = name or self._free_name(), Record(said, said)
            store = self._sharing.sessions.store(wanted, record.life)
            tenant = self._builder.build(wanted, plan, store=store)
            self._check_paths(tenant)
            done = await self._sharing.sessions.add(wanted, record, most=self.most)
            if done == "full":
                raise TooManySessions
            if done == "added":
                self._drop(wanted)
                self._records[wanted] = record
                return self._kept(tenant)
            if name is not None:
                raise NameTaken

    async def change(self, name: str, plan_of: Callable[[Tenant], Plan], *, anew: bool = False) -> Tenant:
        """The session under another plan; nothing is changed when it cannot be. Raises NoSession, ValueError.

        ``plan_of`` is asked again when somebody else was faster.
        """
        while True:
            tenant = await self.find(name)
            before = self._records.get(name)
            changed = self._builder.build(name, plan_of(tenant), tenant, anew=anew)
            self._check_paths(changed)
            if await self._told(changed, before):
                return self._kept(changed)

    def draft(self, name: str, plan: Plan) -> Tenant:
        """What the session would be under another plan, begun anew; nothing is changed. Raises as ``change``."""
        tenant = self._builder.build(name, plan, self.get(name), anew=True)
        self._check_paths(tenant)
        return tenant

    async def keep(self, draft: Tenant) -> None:
        """Make a session what was drafted. Raises NoSession."""
        while not await self._told(draft, self._records.get(draft.id)):
            await self.find(draft.id)
        self._kept(draft)

    async def end(self, name: str) -> None:
        """Forget a session; what is in flight ends as it would have. Raises NoSession.

        The default session never ends.
        """
        if name == DEFAULT:
            raise NoSession
        if self._sharing is not None:
            record = await self._sharing.sessions.remove(name)
            if record is None:
                self._drop(name)
                raise NoSession
            await self._sharing.sessions.store(name, record.life).forget()
        elif name not in self._open:
            raise NoSession
        self._drop(name)

    async def check(self) -> None:
        """Make sure that what the default session needs can be had. Raises StoreUnavailable.

        Processes that share a store and would answer differently are told of in the log, once.
        """
        await self.default.session.now()
        if self._sharing is None:
            return
        mine = {name: str(getattr(self.plan.settings, name)) for name in _ALIKE}
        told = await self._sharing.sessions.check(json.dumps(mine))
        if told is None or told in self._other_options or len(self._other_options) >= _MOST_TOLD:
            return
        self._other_options.add(told)
        others: dict[str, str] = json.loads(told)
        different = [
            f"--{name.replace('_', '-')} {others.get(name)}, here {value}"
            for name, value in mine.items()
            if others.get(name) != value
        ]
        logging.getLogger(LOGGER).warning(
            "another process of this store answers differently: it has %s", "; ".join(different)
        )

    def fault(self) -> str | None:
        """Why this server can never be ready, as a sentence; None while nothing of that kind is known."""
        return None if self._sharing is None else self._sharing.sessions.fault()

    async def close(self) -> None:
        """Let go of what is shared."""
        if self._sharing is not None:
            await self._sharing.sessions.close()

    async def _told(self, tenant: Tenant, before: Record | None) -> bool:
        """Tell others of a session's plan; False when it is not any more what it was before."""
        if self._sharing is None:
            return True
        if before is None and tenant.id != DEFAULT:  # it was ended
            return False
        storable, life = self._sharing.storable, "" if before is None else before.life
        record = Record(storable(tenant.plan.said), storable(tenant.beginning.said), life)
        if not await self._sharing.sessions.replace(tenant.id, before, record):
            return False
        self._records[tenant.id] = record
        return True

    def _learn(self, name: str, record: Record | None) -> None:
        """Make the session here what its record says."""
        known = self._records.get(name)
        if self._sharing is None or (name in self._open and _version(known) == _version(record)):
            return
        if record is None and name != DEFAULT:
            self._drop(name)
            return
        plan, beginning, store = self.plan, self.plan, None
        if record is not None:
            plan = self._sharing.plan_of(self, record.said)
            beginning = self._sharing.plan_of(self, record.beginning)
            store = self._sharing.sessions.store(name, record.life)
        if name != DEFAULT and (known is None or record is None or known.life != record.life):
            self._drop(name)  # another session under the name of one that was ended
        tenant = self._builder.build(name, plan, self._open.get(name), store=store)
        self._records[name] = record
        self._kept(replace(tenant, beginning=beginning))

    def _drop(self, name: str) -> None:
        self._records.pop(name, None)
        gone = self._open.pop(name, None)
        if gone is not None:
            gone.journal.end()

    def _check_paths(self, tenant: Tenant) -> None:
        if not same_paths(tenant.contract, self.default.contract):  # routes are laid when the server starts
            edition = tenant.contract.edition.edition
            raise ValueError(f"Edition {edition} has other paths than that of this server.")

    def _kept(self, tenant: Tenant) -> Tenant:
        self._check_paths(tenant)
        tenant.journal.set_limit(tenant.settings.journal_bytes)
        self._open[tenant.id] = tenant
        return tenant

    def _free_name(self) -> str:
        while True:
            name = f"s{self._names.getrandbits(32):08x}"
            if name not in self._open:
                return name


def _version(record: Record | None) -> str:
    return "" if record is None else record.version


def is_name(text: str) -> bool:
    """Whether a session may be called so: 1 to 40 of ``a-z``, ``0-9`` and ``-``, which does not come first."""
    return _NAME.fullmatch(text) is not None
