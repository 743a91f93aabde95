"""The load: clients in threads, each drawing one visit after the other, until the time or the requests are used up."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from benchmarks.soak.asking import Caller, Outages
from benchmarks.soak.buying import Buyer
from benchmarks.soak.edits import Maker
from benchmarks.soak.looking import Looker
from benchmarks.soak.notes import Notes, Pictures
from benchmarks.soak.spending import Spender, wallet_of


@dataclass
class Budget:
    """When to stop. ``visits``: None is without end; ``seconds`` too, from when it was made."""

    seconds: float | None
    visits: int | None
    _start: float = field(default_factory=time.monotonic)
    _taken: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    def another(self) -> bool:
        """Whether one more visit may be made; it then counts as made."""
        if self._over.is_set() or (
            self.seconds is not None and time.monotonic() > self._start + self.seconds
        ):
            return False
        with self._lock:
            if self.visits is not None and self._taken >= self.visits:
                return False
            self._taken += 1
            return True

    def stop(self) -> None:
        """No further visits."""
        self._over.set()

    @property
    def share(self) -> float:
        """How much of it is used up: 1 is all."""
        by_time = 0.0 if self.seconds is None else (time.monotonic() - self._start) / self.seconds
        by_visits = 0.0 if self.visits is None else self._taken / self.visits
        return max(by_time, by_visits)


@dataclass
class Crowd:
    """The clients. ``notes`` are theirs, one each."""

    port: int
    maker: Maker
    outages: Outages
    seed: int
    size: int
    budget: Budget
    notes: list[Notes] = field(default_factory=list)
    _lives: list[Future[None]] = field(default_factory=list)

    def start(self) -> None:
        """Let them begin."""
        pictures, threads = Pictures(), ThreadPoolExecutor(self.size)
        for number in range(self.size):
            self.notes.append(Notes())
            self._lives.append(threads.submit(self._live, number, self.notes[-1], pictures))
        threads.shutdown(wait=False)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until all have ended, so long at most; whether they have."""
        return not wait(self._lives, seconds).not_done

    def broken(self) -> list[str]:
        """What ended clients before their time, once all have ended."""
        errors = (life.exception() for life in self._lives)
        return [
            "a client broke: " + "".join(traceback.format_exception(error, limit=-3))
            for error in errors
            if error
        ]

    def _live(self, number: int, notes: Notes, pictures: Pictures) -> None:
        chance, caller = random.Random(f"{self.seed} {number}"), Caller(self.port, self.outages)
        name, origin = f"client-{number}", f"http://127.0.0.1:{self.port}"
        buyer = Buyer(caller, notes, self.maker, pictures, chance, name)
        spender = Spender(caller, notes, self.maker, chance, origin, wallet_of(number))
        looker = Looker(caller, notes, self.maker, chance, name)
        visits, weights = _mix(buyer, spender, looker)
        while self.budget.another():
            chance.choices(visits, weights)[0]()
        caller.hang_up()


def _mix(
    buyer: Buyer, spender: Spender, looker: Looker
) -> tuple[Sequence[Callable[[], None]], Sequence[int]]:
    """The visits and how often each is made, of a hundred."""
    mix: dict[Callable[[], None], int] = {
        buyer.edit: 25,
        buyer.edit_of_its_own: 10,
        buyer.refusal: 12,
        buyer.error: 6,
        buyer.fault: 8,
        buyer.rule: 3,
        buyer.leave: 8,
        spender.edit: 7,
        spender.top_up: 4,
        spender.sign_in_twice: 2,
        spender.look: 3,
        looker.read: 10,
        looker.live_in_a_session: 2,
    }
    return list(mix), list(mix.values())
