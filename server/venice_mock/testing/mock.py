"""The handle that a test holds: where its mock is, what to order of it, and what to ask it afterwards.

Every call is one request to the control plane and comes back within a millisecond or two, also inside a running
event loop. A handle keeps nothing but what it was told to let fail, so threads may share it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, Unpack
from urllib.parse import quote

from venice_mock.testing.calling import Line, call, told
from venice_mock.testing.options import Money, SessionOptions, plain_values
from venice_mock.testing.records import (
    Advice,
    Booking,
    Request,
    Verdict,
    advice_of,
    booking_of,
    moment,
    request_of,
    verdict_of,
)
from venice_mock.testing.sentences import VerificationError, not_verified, paid_twice

__tracebackhide__ = True  # pytest: the test's own line is what failed
_MOST = 1000  # entries that one answer of the journal or of a ledger holds
_SHOWN = 5  # requests that a failed verification tells of
_API, _CONTROL = "/api/v1", "/__mock"
Part = Literal["accounts", "nonces", "limits", "clock", "journal", "rules", "config"]


class VeniceMock:
    """One session of a mock: accounts, ledger, rules, journal and clock of its own.

    ``base_url`` and ``api_key`` are for the client that is tested. Any other key works as well, and is another
    account; magic ones do what ``docs/steering.md`` says. Orders that cannot be carried out raise ControlError.
    """

    api_key = "mock_ok"

    def __init__(self, line: Line, origin: str, prefix: str = "") -> None:
        self._line = line
        self._prefix = prefix
        self._ordered: list[tuple[str, str]] = []  # of fail_next: the rule, and what it orders
        self.origin = origin
        self.clock = Clock(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"

    @property
    def base_url(self) -> str:
        """The base URL to give to a client: ``http://127.0.0.1:PORT/__s/SESSION/api/v1``."""
        return self.origin + self._prefix + _API

    @property
    def control_url(self) -> str:
        """Where this session's control plane is, for what this class has no method for."""
        return self.origin + self._prefix + _CONTROL

    # --- orders -------------------------------------------------------------------------------------------

    def fail_next(
        self,
        what: str,
        *,
        times: int = 1,
        retry_after: int | None = None,
        latency: str | None = None,
        model: str | None = None,
        prompt_contains: str | None = None,
        key: str | None = None,
    ) -> Rule:
        """Let the next edit fail, or the next ``times`` of those that fit.

        ``what`` is an error (``rate_limited``, ``model_at_capacity``) or a fault of the answer on its way
        (``reset``, ``cut@body:1024``, ``charge_then_504``). Several orders are carried out one after the other.
        """
        from venice_mock.accounts.faults import FAULTS

        kind = "fault" if what.lower().partition("@")[0].strip() in FAULTS else "error"
        then = {kind: what, "retry_after": retry_after, "latency": latency}
        match = {"model": model, "prompt_contains": prompt_contains, "key": key}
        rule = self._make_rule(then, match, times, None)
        self._ordered.append((rule.id, what))
        return rule

    def unused_failures(self) -> list[str]:
        """What ``fail_next`` of this handle ordered and no edit has met yet, the oldest first."""
        waiting = {each["id"] for each in self._call("GET", "/rules")["rules"] if not each["fired"]}
        return [what for rule, what in self._ordered if rule in waiting]

    def rule(
        self,
        *,
        error: str | None = None,
        fault: str | None = None,
        retry_after: int | None = None,
        latency: str | None = None,
        seed: int | None = None,
        adult: bool | None = None,
        model: str | None = None,
        prompt_contains: str | None = None,
        key: str | None = None,
        times: int | None = None,
        id: str | None = None,
    ) -> Rule:
        """Steer all edits that fit ``model``, ``prompt_contains`` and ``key``, or the first ``times`` of them."""
        then = {
            "error": error,
            "fault": fault,
            "retry_after": retry_after,
            "latency": latency,
            "seed": seed,
            "adult": adult,
        }
        match = {"model": model, "prompt_contains": prompt_contains, "key": key}
        return self._make_rule(then, match, times, id)

    @property
    def rules(self) -> list[Rule]:
        """All rules in the order in which they are tried."""
        return [Rule(self, each["id"]) for each in self._call("GET", "/rules")["rules"]]

    def configure(self, **config: Unpack[SessionOptions]) -> dict[str, Any]:
        """Change the session's config, all that is named or nothing; the config that results."""
        answer: dict[str, Any] = self._call("PATCH", "/config", plain_values(config))
        return answer

    @property
    def config(self) -> dict[str, Any]:
        """The effective config."""
        answer: dict[str, Any] = self._call("GET", "/config")
        return answer

    def reset(self, *parts: Part) -> None:
        """Back to the beginning: these parts, or all."""
        self._call("POST", "/reset", {"only": list(parts)} if parts else {})

    def account(self, key: str | None = None) -> Account:
        """The account of an API key or a wallet's address; without one, that of ``api_key``."""
        return Account(self, self.api_key if key is None else key)

    @contextmanager
    def session(self, **config: Unpack[SessionOptions]) -> Iterator[VeniceMock]:
        """Another session of the same server, which ends with the block."""
        made = call(self._line, "POST", _CONTROL + "/sessions", {"config": plain_values(config)})
        try:
            yield type(self)(self._line, self.origin, f"/__s/{made['id']}")
        finally:
            call(self._line, "DELETE", f"{_CONTROL}/sessions/{made['id']}")

    # --- questions ----------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        """What reached the API, in the order in which it was answered: the newest thousand at most."""
        answer = self._call("GET", f"/requests?limit={_MOST}")
        return [request_of(entry) for entry in reversed(answer["requests"])]

    def picture_sent(self, request: Request) -> bytes:
        """The picture of a request, as a file. Raises ControlError when there was none, or it is not kept any more."""
        return self._fetch(f"/requests/{request.id}/input")

    def picture_answered(self, request: Request) -> bytes:
        """The body of the answer. Raises ControlError when there was none, or it is not kept any more."""
        return self._fetch(f"/requests/{request.id}/output")

    @property
    def sample_png(self) -> bytes:
        """A picture to edit."""
        return self._fetch("/sample.png")

    def verify(
        self,
        *,
        exactly: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        **match: Any,
    ) -> list[str]:
        """Make sure that there were as many requests that fit: without a number, at least one. Their ids.

        What fits is told by members of the journal: ``model``, ``prompt``, ``prompt_contains``, ``status`` (404 or
        "4xx"), ``charged``, ``cost_usd``, ``key``, ``sent={"resolution": "2K"}``, ``image_width`` and more; a list
        means any of its values. Raises VerificationError, an AssertionError that tells what came closest.
        """
        given = {"exactly": exactly, "at_least": at_least, "at_most": at_most}
        times = {name: number for name, number in given.items() if number is not None}
        match = plain_values(match)
        reply = self._line.send(
            "POST", self._prefix + _CONTROL + "/verify", json.dumps({"match": match, "times": times}).encode()
        )
        answer = reply.json if reply.status == 409 else told(reply)
        if not answer["ok"]:
            raise VerificationError(self._not_verified(answer, match, times))
        return list(answer["requests"])

    def verdict(self, window_s: float | timedelta | None = None) -> Verdict:
        """Whether anybody was charged twice for one logical request, by the ledger.

        One logical request: the same caller, fields and picture, each attempt within ``window_s`` (30 seconds) of
        the one before it, by the session's clock or by the wall's.
        """
        if isinstance(window_s, timedelta):
            window_s = window_s.total_seconds()
        query = "" if window_s is None else f"?window_s={window_s:f}"
        return verdict_of(self._call("GET", "/ledger/verdict" + query))

    def verify_nobody_paid_twice(self, window_s: float | timedelta | None = None) -> None:
        """Make sure of it, as ``verdict`` tells it. Raises VerificationError with each attempt and what it cost."""
        verdict = self.verdict(window_s)
        if not verdict.ok:
            raise VerificationError(paid_twice(verdict))

    def lint(self) -> list[Advice]:
        """What the client could do better, the most frequent first."""
        return [advice_of(each) for each in self._call("GET", "/lint")["advice"]]

    # --- within -------------------------------------------------------------------------------------------

    def _make_rule(
        self, then: Mapping[str, Any], match: Mapping[str, Any], times: int | None, name: str | None
    ) -> Rule:
        order = {"then": _given(then), "match": _given(match), "times": times, "id": name}
        return Rule(self, self._call("POST", "/rules", _given(order))["id"])

    def _not_verified(
        self, answer: Mapping[str, Any], match: Mapping[str, Any], times: Mapping[str, int]
    ) -> str:
        entries = self._call("GET", f"/requests?limit={_MOST}")
        by_id = {entry["id"]: request_of(entry) for entry in entries["requests"]}
        found = [by_id[name] for name in answer["requests"][:_SHOWN] if name in by_id]
        closest = [(by_id[each["id"]], each["diff"]) for each in answer["closest"] if each["id"] in by_id]
        return not_verified(answer, match, times, found, closest, entries["kept"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return call(self._line, method, self._prefix + _CONTROL + path, body)

    def _fetch(self, path: str) -> bytes:
        reply = self._line.send("GET", self._prefix + _CONTROL + path, None)
        if reply.status >= 400:
            told(reply)
        return reply.body


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in force."""

    mock: VeniceMock
    id: str

    @property
    def fired(self) -> int:
        """How many edits it steered."""
        return int(self.mock._call("GET", f"/rules/{self.id}")["fired"])

    def delete(self) -> None:
        """Take it away."""
        self.mock._call("DELETE", f"/rules/{self.id}")


@dataclass(frozen=True, slots=True)
class Clock:
    """The session's time: rate limits, signatures, the ledger and the window of the verdict go by it."""

    mock: VeniceMock

    @property
    def now(self) -> datetime:
        """What time it is there, in UTC."""
        return moment(self.mock._call("GET", "/clock")["now"])

    @property
    def is_frozen(self) -> bool:
        """Whether it stands."""
        return self.mock._call("GET", "/clock")["frozen_at"] is not None

    def advance(self, seconds: float | timedelta) -> datetime:
        """Move it on, frozen or not; the new time."""
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        return moment(self.mock._call("POST", "/clock/advance", {"seconds": seconds})["now"])

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Let it stand: at this time (ISO 8601; UTC unless it says otherwise), or where it is now."""
        place = self.now if at is None else at
        if isinstance(place, datetime):
            place = (place if place.tzinfo else place.replace(tzinfo=UTC)).isoformat()
        return moment(self.mock._call("PUT", "/clock", {"frozen_at": place})["now"])

    def run(self) -> datetime:
        """Let it run again, from the present."""
        return moment(self.mock._call("PUT", "/clock", {"frozen_at": None})["now"])


@dataclass(frozen=True, slots=True)
class Account:
    """An account, by its key or its wallet's address. Everything is asked when it is read."""

    mock: VeniceMock
    key: str

    def __repr__(self) -> str:
        return "<Account>"  # keys are secrets

    @property
    def balance_usd(self) -> Decimal:
        """What is in it."""
        return Decimal(self._read()["balance_usd"])

    @property
    def spent_usd(self) -> Decimal:
        """What edits have cost it so far."""
        return Decimal(self._read()["spent_usd"])

    @property
    def spend_limit_usd(self) -> Decimal | None:
        """What edits may cost altogether; None: no limit."""
        limit = self._read()["spend_limit_usd"]
        return None if limit is None else Decimal(limit)

    @property
    def status(self) -> str:
        """``active``, ``inactive``, ``disabled`` or ``invalid``."""
        return str(self._read()["status"])

    @property
    def ledger(self) -> list[Booking]:
        """Every booking, the oldest first."""
        rows: list[Any] = []
        more = True
        while more:
            page = self.mock._call("GET", f"{self._path}/ledger?limit={_MOST}&offset={len(rows)}")
            rows += page["entries"]
            more = page["has_more"]
        return [booking_of(row) for row in reversed(rows)]

    def set(
        self,
        *,
        balance_usd: Money | None = None,
        spend_limit_usd: Money | Literal["none"] | None = None,
        status: Literal["active", "inactive", "disabled"] | None = None,
    ) -> None:
        """Change what is named. ``spend_limit_usd="none"`` takes the limit away."""
        change: dict[str, Any] = {}
        if balance_usd is not None:
            change["balance_usd"] = str(balance_usd)
        if spend_limit_usd is not None:
            change["spend_limit_usd"] = None if spend_limit_usd == "none" else str(spend_limit_usd)
        if status is not None:
            change["status"] = status
        self.mock._call("PATCH", self._path, change)

    @property
    def _path(self) -> str:
        return f"/accounts/{quote(self.key, safe='')}"

    def _read(self) -> Any:
        return self.mock._call("GET", self._path)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
