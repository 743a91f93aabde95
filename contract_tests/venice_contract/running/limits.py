"""What a run may do to a server: dollars, requests a minute, failures in a window, and when it must stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from venice_contract.judging.expect import UntestedCost
from venice_contract.wire.message import Reply

_LONGEST_WAIT_S = 120.0  # ours: a Retry-After beyond this ends the run instead of stalling it
_MOST_429, _MOST_403 = 2, 1
# Without a guard the run goes on whatever the server says, and only waits so long before it asks a second time.
_LONGEST_PAUSE_S, _ALL_PAUSES_S, _MOST_IN_VAIN = 60.0, 300.0, 3


class Stopped(Exception):
    """The run must end here. The text is one sentence."""


@dataclass
class Meter:
    """Money: reserved before a request that could succeed, settled after it. ``limit`` None: play money."""

    limit: Decimal | None = None
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    def can_spend(self, price: Decimal) -> bool:
        """Whether so much is left."""
        return self.limit is None or self.spent + self.reserved + price <= self.limit

    def reserve(self, price: Decimal) -> None:
        """Set ``price`` aside. Raises UntestedCost when the limit would be passed."""
        if not self.can_spend(price):
            left = (self.limit or Decimal(0)) - self.spent - self.reserved
            raise UntestedCost(f"it could cost ${price}, and ${max(left, Decimal(0))} is left of the budget")
        self.reserved += price

    def settle(self, price: Decimal, charged: Decimal) -> None:
        """Give back what was set aside; book what was charged, or what may have been."""
        self.reserved -= price
        self.spent += charged


@dataclass
class Pacer:
    """Waits before a request so that no limit of the server is met. Without limits it never waits.

    ``per_minute``: edits a minute. ``top_ups_per_minute``: requests to the top-up endpoint, which counts them by
    address. ``failures``: at most so many answers of 400 and above in so many seconds.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]
    per_minute: int | None = None
    failures: tuple[int, float] | None = None
    guarded: bool = False  # stop at two 429s or one 403
    top_ups_per_minute: int | None = None
    waited_s: float = 0.0
    _edits: deque[float] = field(default_factory=deque)
    _top_ups: deque[float] = field(default_factory=deque)
    _failed: deque[float] = field(default_factory=deque)
    _not_before: float = 0.0
    _seen_429: int = 0
    _seen_403: int = 0
    _paused_s: float = 0.0
    _in_vain: int = 0  # second tries in a row that met a 429 again

    def before(self, *, is_edit: bool, requests: int = 1, is_top_up: bool = False) -> None:
        """Wait until so many requests may be sent."""
        moments = [self._not_before]
        if self.per_minute is not None and is_edit:
            moments.append(_free_at(self._edits, self.per_minute, 60.0, requests))
        if self.top_ups_per_minute is not None and is_top_up:
            moments.append(_free_at(self._top_ups, self.top_ups_per_minute, 60.0, requests))
        if self.failures is not None:
            moments.append(_free_at(self._failed, self.failures[0], self.failures[1], requests))
        while (left := max(moments) - self.now()) > 0:
            self.waited_s += left
            self.sleep(left)
        if self.per_minute is not None and is_edit:
            self._edits.extend([self.now()] * requests)
        if self.top_ups_per_minute is not None and is_top_up:
            self._top_ups.extend([self.now()] * requests)

    def after(self, reply: Reply, *, may_be_forbidden: bool = False) -> None:
        """Take note of an answer. Raises Stopped when the server had enough of us.

        ``may_be_forbidden``: the request asked for what belongs to somebody else, and 403 is the answer to that.
        """
        if reply.status < 400:
            return
        if self.failures is not None:
            self._failed.append(self.now())
        if not self.guarded:
            return
        if reply.status == 429:
            self._seen_429 += 1
            seconds = _asked_to_wait(reply, 30.0)
            if self._seen_429 >= _MOST_429:
                raise Stopped("the server answered 429 twice: the run ends before it does harm")
            if seconds > _LONGEST_WAIT_S:
                raise Stopped(f"the server answered 429 and asks to come again in {seconds:g} s")
            self._not_before = self.now() + seconds
        if reply.status == 403 and not may_be_forbidden:
            self._seen_403 += 1
            if self._seen_403 >= _MOST_403:
                raise Stopped("the server answered 403: this account is no longer welcome")

    def may_try_again(self, reply: Reply) -> bool:
        """Whether what was answered 429 may be sent a second time. ``before`` then waits as long as the server asks.

        A guarded run waits anyway, and a second 429 ends it. Elsewhere a wait that is too long, or too many in vain,
        are answered no.
        """
        if self.guarded:
            return True
        seconds = _asked_to_wait(reply, 1.0)
        too_long = seconds > _LONGEST_PAUSE_S or self._paused_s + seconds > _ALL_PAUSES_S
        if too_long or self._in_vain >= _MOST_IN_VAIN:
            return False
        self._paused_s += seconds
        self._not_before = self.now() + seconds
        return True

    def tried_again(self, reply: Reply) -> None:
        """Take note of what came of a second try."""
        self._in_vain = self._in_vain + 1 if reply.status == 429 else 0


def _asked_to_wait(reply: Reply, untold: float) -> float:
    """Seconds by Retry-After; ``untold`` where there is no number in it."""
    wait = reply.header("retry-after") or ""
    return float(wait) if wait.isdecimal() and wait.isascii() else untold


def _free_at(past: deque[float], most: int, window: float, requests: int) -> float:
    """When ``requests`` more fit into the window, forgetting what cannot matter any more."""
    while len(past) > most:
        past.popleft()
    over = len(past) + min(requests, most) - most
    return past[over - 1] + window if over > 0 else 0.0
