"""A session: one world of accounts, ledger, clock and randomness. Whatever changes hangs here."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from venice_mock.accounts.keys import KeyRing, Opening, load_keys
from venice_mock.contract import Contract
from venice_mock.settings import Settings
from venice_mock.state.journal import Budget, Journal
from venice_mock.state.memory import MemoryStore
from venice_mock.state.rules import RuleBook, Rules
from venice_mock.state.sharing import SharedStore
from venice_mock.state.store import ClockState, Store, StoreUnavailable


@dataclass(slots=True)
class Session:
    """What a request needs to know of the world it is in. ``picture_seed`` goes into every edit."""

    id: str
    contract: Contract
    store: Store
    keys: KeyRing
    picture_seed: int
    journal: Journal
    rules: RuleBook
    _random: random.Random
    _pauses: random.Random
    _wall_clock: Callable[[], float]
    _clock: ClockState = field(default_factory=ClockState)  # as it was seen last

    async def now(self) -> float:
        """Unix seconds by this session's clock."""
        self._clock = await self.store.clock()
        return self._clock.at(self._wall_clock())

    async def told_now(self) -> float:
        """The same for what is only told: where the store is lost, by the clock as it was seen last."""
        try:
            return await self.now()
        except StoreUnavailable:
            return self.last_now()

    def last_now(self) -> float:
        """The same by the clock as it was seen last: no store is asked."""
        return self._clock.at(self._wall_clock())

    def wall_now(self) -> float:
        """Unix seconds by the wall clock, wherever this session's stands."""
        return self._wall_clock()

    def token(self, length: int = 32) -> str:
        """Random lower-case hex digits: nonces and request ids."""
        return f"{self._random.getrandbits(4 * length):0{length}x}"

    def uniform(self, low: float, high: float) -> float:
        """A pause drawn evenly; the same ones in the same order for the same seed, or for none."""
        return self._pauses.uniform(low, high)


def open_session(
    contract: Contract,
    settings: Settings,
    *,
    name: str = "default",
    wall_clock: Callable[[], float] = time.time,
    keys: KeyRing | None = None,
    budget: Budget | None = None,
    store: SharedStore | None = None,
) -> Session:
    """A fresh session as the settings ask; ``keys`` go before their file, ``budget`` is the process's for journals.

    ``store``: shared with other processes; then ids are drawn by nobody's seed, or two would draw the same.
    Raises ValueError when the keys file cannot be used.
    """
    if keys is None:
        keys = KeyRing(Opening(settings.balance), load_keys(settings.keys) if settings.keys else None)
    budget = budget or Budget(settings.journal_bytes)
    limit = settings.journal_bytes
    return Session(
        id=name,
        contract=contract,
        store=store or MemoryStore(),
        keys=keys,
        picture_seed=settings.seed or 0,
        journal=Journal(budget, limit) if store is None else store.journal(budget, limit),
        rules=Rules() if store is None else store.rules,
        _random=_stream(name, settings.seed if store is None else None),
        _pauses=_pauses(name, settings.seed),
        _wall_clock=wall_clock,
    )


def reopen_session(
    session: Session, contract: Contract, settings: Settings, keys: KeyRing, *, anew: bool
) -> Session:
    """The same accounts, ledger, nonces, journal, rules and clock under another config.

    ``anew``: what is drawn begins again.
    """
    of_a_seed = isinstance(session.store, MemoryStore)
    stream = _stream(session.id, settings.seed if of_a_seed else None) if anew else session._random
    pauses = _pauses(session.id, settings.seed) if anew else session._pauses
    seed = settings.seed or 0
    return replace(session, contract=contract, keys=keys, picture_seed=seed, _random=stream, _pauses=pauses)


def _stream(name: str, seed: int | None) -> random.Random:
    return random.SystemRandom() if seed is None else random.Random(f"{name}:{seed}")


def _pauses(name: str, seed: int | None) -> random.Random:
    # Nothing that is waited for is left to chance, with or without a seed.
    return random.Random(f"{name}:pauses:{seed or 0}")
