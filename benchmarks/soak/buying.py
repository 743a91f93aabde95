"""Visits that pay with a key: edits as usual, edits that fail as ordered, and clients that leave."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from benchmarks.soak.asking import Caller, LostError, Reply
from benchmarks.soak.books import Claim
from benchmarks.soak.edits import EDIT, Edit, Maker, is_picture
from benchmarks.soak.notes import Notes, Pictures

KEYS = tuple(f"soak-key-{number}" for number in range(4))  # many clients pay from each
LEAVERS = tuple(f"soak-leaver-{number}" for number in range(2))
FAULT_KEYS = {"mock_reset": "none", "mock_wrong_media_type": "media", "mock_charge_then_504": "504"}
_ERROR_KEYS = {"mock_edit_error": 500, "mock_at_capacity": 503, "mock_timeout": 504, "mock_overloaded": 429}
_ERRORS = {
    "edit_error": 500,
    "offline": 503,
    "timeout": 504,
    "insufficient_balance": 402,
    "content_violation": 422,
}
_BALANCE = "x-venice-balance-usd"
_BRIEF_S = 0.3
# What a fault leaves of an answer: none, its head, or a whole one that is not to be used.
_FAULTS = {
    "reset": "none",
    "charge_then_reset": "none",
    "reset_before_charge": "free",
    "reset@body:1000": "head",
    "cut": "head",
    "corrupt": "head",
    "slow@300ms": "head",
    "wrong_media_type": "media",
    "charge_then_504": "504",
}


@dataclass
class Buyer:
    """One client's purchases by key."""

    caller: Caller
    notes: Notes
    maker: Maker
    pictures: Pictures
    chance: random.Random
    name: str
    _count: int = 0

    def edit(self) -> None:
        """An edit that many ask for: paid, and the same picture every time."""
        key, edit = self.chance.choice(KEYS), self.maker.draw(self.chance)
        more = {"X_Mock": f"latency={self.chance.randrange(120)}ms"} if self.chance.random() < 0.1 else {}
        reply = self._send("edit", edit, key, **more)
        if reply is not None and self.notes.expected("edit", reply, self.caller, {200}):
            if not is_picture(reply):
                self.notes.found(f"edit: the answer is no whole picture: {dict(reply.headers)}")
            elif not self.pictures.is_the_same(edit.name, reply.body):
                self.notes.found(f"edit: another picture than before for {edit.name}")

    def edit_of_its_own(self) -> None:
        """An edit that nobody asked for before."""
        self._count += 1
        edit = self.maker.draw(
            self.chance, small=True, prompt=f"a thing of {self.name}, number {self._count}"
        )
        reply = self._send("edit of its own", edit, self.chance.choice(KEYS))
        if reply is not None and self.notes.expected("edit of its own", reply, self.caller, {200}):
            self._want_picture(reply)

    def refusal(self) -> None:
        """A request that is wrong, which is free."""
        edit, key = self.maker.draw(self.chance, small=True), self.chance.choice(KEYS)
        kinds: dict[int, tuple[bytes, dict[str, str]]] = {
            400: (
                b'{"image": "no picture", "prompt": 7}',
                {"Content-Type": "application/json", **_bearer(key)},
            ),
            401: (edit.body, edit.headers(**_bearer("mock_invalid_key"))),
            402: (edit.body, edit.headers()),
            404: (b'{"model": "none", "prompt": "x", "image": "%s"}' % (b"QUFB" * 40), _json(key)),
            415: (edit.body, {"Content-Type": "text/plain", **_bearer(key)}),
        }
        status = self.chance.choice(sorted(kinds))
        reply = self._ask("refusal", *kinds[status])
        if reply is not None:
            self.notes.expected("refusal", reply, self.caller, {status})

    def error(self) -> None:
        """An error by header or by key, which is free."""
        edit = self.maker.draw(self.chance, small=True)
        if self.chance.random() < 0.5:
            name, status = self.chance.choice(sorted(_ERRORS.items()))
            headers = edit.headers(X_Mock=f"error={name}", **_bearer(self.chance.choice(KEYS)))
        else:
            name, status = self.chance.choice(sorted(_ERROR_KEYS.items()))
            headers = edit.headers(**_bearer(name))
        reply = self._ask("ordered error", edit.body, headers)
        if reply is not None:
            self.notes.expected("ordered error", reply, self.caller, {status})

    def fault(self) -> None:
        """An answer that is spoilt by header or by key, and paid for nevertheless."""
        edit = self.maker.draw(self.chance, small=True)
        if self.chance.random() < 0.7:
            name, left = self.chance.choice(sorted(_FAULTS.items()))
            self._spoilt("fault", edit, self.chance.choice(KEYS), left, X_Mock=f"fault={name}")
        else:
            name, left = self.chance.choice(sorted(FAULT_KEYS.items()))
            self._spoilt("fault", edit, name, left)

    def rule(self) -> None:
        """A rule for one edit, set over the same connection, so that it reaches the same worker, and that edit."""
        self._count += 1
        mark = f"ruled by {self.name} {self._count}"
        name, left = self.chance.choice([("charge_then_504", "504"), ("model_at_capacity", "503")])
        then = b'"fault": "charge_then_504"' if left == "504" else b'"error": "model_at_capacity"'
        body = b'{"match": {"prompt_contains": "%s"}, "then": {%s}, "times": 1}' % (mark.encode(), then)
        set_up = self._ask("rule", body, {"Content-Type": "application/json"}, "/__mock/rules")
        if set_up is None or not self.notes.expected("rule", set_up, self.caller, {201}):
            return
        edit = self.maker.draw(self.chance, small=True, prompt=mark)
        self._spoilt(f"edit under a rule, {name}", edit, self.chance.choice(KEYS), left)

    def leave(self) -> None:
        """Go before the answer: with half of the request sent (which is free), all of it, or the head of the answer."""
        edit, key = self.maker.draw(self.chance, small=True), self.chance.choice(LEAVERS)
        request = edit.raw(edit.headers(**_bearer(key)))
        how = self.chance.choice(["half", "gone", "gone slowly", "reset", "head"])
        if how == "half":
            self.caller.leave(request[: len(request) // 2], after=_BRIEF_S, abruptly=False)
        elif how == "head":
            stalled = edit.raw(edit.headers(X_Mock="fault=stall@headers", **_bearer(key)))
            told = self.caller.read_head_and_leave(stalled).startswith(b"HTTP/1.1 200 ")
            if not told and not self.caller.met_outage:
                self.notes.found("leaving client: the head of an answer did not come")
            self._claim(edit, key, sure=told and not self.caller.met_outage)
        else:
            after = self.chance.random() * _BRIEF_S if how == "gone slowly" else 0.0
            self.caller.leave(request, after=after, abruptly=how == "reset")
            self._claim(edit, key, sure=False)
        self.notes.came("leaving client", how)

    def _send(self, kind: str, edit: Edit, key: str, **headers: str) -> Reply | None:
        """An edit that is paid if it succeeds; the claim is noted."""
        reply = self._ask(kind, edit.body, edit.headers(**headers, **_bearer(key)))
        if reply is None or self.caller.refused_for_the_store(reply):
            self._claim(edit, key, sure=False)
        elif reply.status == 200:
            self._claim(edit, key, told=reply.headers)
        return reply

    def _spoilt(self, kind: str, edit: Edit, key: str, left: str, **headers: str) -> None:
        statuses = {"none": (), "free": (), "504": (504,), "503": (503,)}.get(left, (200,))
        try:
            reply = self.caller.ask("POST", EDIT, edit.body, edit.headers(**headers, **_bearer(key)))
        except LostError:
            self.notes.came(kind, "connection reset")
            if left == "free":
                return
            if left != "none" and not self.caller.met_outage:
                self.notes.found(f"{kind}: a connection was lost that should not be, {headers}")
            self._claim(edit, key, sure=left == "none" and not self.caller.met_outage)
            return
        finally:
            self.caller.hang_up()
        if not self.notes.expected(kind, reply, self.caller, statuses):
            self._claim(edit, key, sure=False)
        elif left == "504":
            self._claim(edit, key, sure=not self.caller.met_outage)
        elif left != "503":
            self._claim(edit, key, told=reply.headers)

    def _claim(
        self, edit: Edit, key: str, *, sure: bool = True, told: Mapping[str, str] | None = None
    ) -> None:
        balance = None
        if told is not None and not self.caller.met_outage:
            balance = Decimal(told[_BALANCE])
        lost = not sure and self.caller.met_outage
        self.notes.claims.append(Claim(key, -edit.price, edit.model, sure, balance, lost))

    def _want_picture(self, reply: Reply) -> None:
        if not is_picture(reply):
            self.notes.found(f"the answer is no whole picture: {dict(reply.headers)}")

    def _ask(self, kind: str, body: bytes, headers: Mapping[str, str], path: str = EDIT) -> Reply | None:
        """The answer; none, and it is noted, where a connection was lost that nobody wanted to lose."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            return self.caller.ask("POST", path, body, said)
        except LostError as error:
            self.notes.came(kind, "lost!")
            self.notes.found(f"{kind}: the connection was lost: {error}")
            return None


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _json(key: str) -> dict[str, str]:
    return {"Content-Type": "application/json", **_bearer(key)}
