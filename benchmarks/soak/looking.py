"""Visits that pay nothing on the books: readers of the API and the control plane, and sessions that come and go."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from benchmarks.soak.asking import Caller, LostError, Reply
from benchmarks.soak.buying import KEYS
from benchmarks.soak.edits import EDIT, Maker
from benchmarks.soak.notes import Notes

_PAGES = (
    "/api/v1/models",
    "/api/v1/models?type=inpaint",
    "/api/v1/billing/balance",
    "/api/v1/openapi.json",
    "/__mock",
    "/__mock/requests?limit=20",
    "/__mock/ledger/verdict",
    "/__mock/lint",
    "/__mock/rules",
    "/__mock/clock",
    "/__mock/sessions",
    f"/__mock/accounts/{KEYS[0]}",
    f"/__mock/accounts/{KEYS[1]}/ledger",
    "/__mock/sample.png",
    "/metrics",
    "/livez",
    "/readyz",
)
_JSON = {"Content-Type": "application/json"}


@dataclass
class Looker:
    """One client that reads."""

    caller: Caller
    notes: Notes
    maker: Maker
    chance: random.Random
    name: str
    _count: int = 0

    def read(self) -> None:
        """One page of many."""
        path = self.chance.choice(_PAGES)
        reply = self._ask("read", "GET", path)
        if reply is not None:
            self.notes.expected("read", reply, self.caller, {200})

    def live_in_a_session(self) -> None:
        """Open a session, pay for an edit in it, look at its ledger, and end it."""
        self._count += 1
        name = f"soak-{self.name}-{self._count}"
        opened = self._ask("session", "POST", "/__mock/sessions", {"name": name})
        if opened is None or not self.notes.expected("session", opened, self.caller, {201}):
            return
        edit = self.maker.draw(self.chance, small=True)
        reply = self._ask("edit in a session", "POST", f"/__s/{name}{EDIT}", edit.body, edit.media_type)
        paid = reply is not None and self.notes.expected("edit in a session", reply, self.caller, {200})
        ledger = self._ask("read", "GET", f"/__s/{name}/__mock/accounts/{KEYS[0]}/ledger")
        if paid and ledger is not None and self.notes.expected("read", ledger, self.caller, {200}):
            amounts = [row["amount_usd"] for row in json.loads(ledger.body)["entries"]]
            if amounts != [f"{-edit.price:.6f}"]:
                self.notes.found(f"session: one edit for {edit.price} is in its ledger as {amounts}")
        ended = self._ask("session", "DELETE", f"/__mock/sessions/{name}", {})
        if ended is not None:
            self.notes.expected("session", ended, self.caller, {200})

    def _ask(
        self,
        kind: str,
        method: str,
        path: str,
        body: bytes | dict[str, str] | None = None,
        media_type: str = _JSON["Content-Type"],
    ) -> Reply | None:
        headers = {"Authorization": f"Bearer {KEYS[0]}"}
        if body is not None:
            headers["Content-Type"] = media_type
        sent = json.dumps(body).encode() if isinstance(body, dict) else body
        try:
            return self.caller.ask(method, path, sent, headers)
        except LostError as error:
            self.notes.came(kind, "lost!")
            self.notes.found(f"{kind} {method} {path}: the connection was lost: {error}")
            return None
