"""The control plane of a mock, as seen from outside: sessions, accounts, the clock. Sends what it is told to.

Only servers that say ``"name": "venice-mock"`` at ``/__mock`` are steered; nobody else is ever asked for more.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from venice_contract.wire.message import BadReply, Reply, Request, TransportFault
from venice_contract.wire.target import Transport

ROOT = "/__mock"
TOKEN = "VENICE_MOCK_CONTROL_TOKEN"


class ControlError(Exception):
    """The control plane refused or failed: the run, not the server's contract, is at fault."""


@dataclass(frozen=True)
class Control:
    """Steers one session. ``prefix`` is what stands before ``/__mock``; empty for the default session."""

    transport: Transport
    prefix: str = ""
    token: str = field(default="", repr=False)

    def about(self) -> dict[str, Any] | None:
        """What the server says of itself; None when it is no mock that can be steered. Raises TransportFault."""
        reply = self._send("GET", self.prefix + ROOT, None)
        try:
            said = reply.json() if reply.status == 200 else None
        except BadReply:
            return None
        return said if isinstance(said, dict) and said.get("name") == "venice-mock" else None

    def open_session(self, config: Mapping[str, Any]) -> Control:
        """A new session of the same server with this configuration."""
        made = self._json("POST", ROOT + "/sessions", {"config": dict(config)}, 201)
        return Control(self.transport, f"/__s/{made['id']}", self.token)

    def close_session(self) -> None:
        """End this session; the default one stays. A server that died in the middle has none to end any more."""
        if self.prefix:
            with contextlib.suppress(TransportFault):
                self._send("DELETE", f"{ROOT}/sessions/{self.prefix.removeprefix('/__s/')}", None)

    def config(self) -> dict[str, Any]:
        """The session's configuration."""
        found = self._json("GET", self.prefix + ROOT + "/config", None, 200)
        return dict(found)

    def set_account(self, name: str, account: Mapping[str, Any], *, kind: str = "key") -> dict[str, Any]:
        """Set an account by key or address; members are those of PUT /__mock/accounts/NAME."""
        path = f"{self.prefix}{ROOT}/accounts/{quote(name, safe='')}?kind={kind}"
        return dict(self._json("PUT", path, account, 200))

    def account(self, name: str, *, kind: str = "key") -> dict[str, Any]:
        """An account as it stands: ``balance_usd``, ``held_usd`` and so on, decimal strings."""
        return dict(
            self._json("GET", f"{self.prefix}{ROOT}/accounts/{quote(name, safe='')}?kind={kind}", None, 200)
        )

    def ledger(self, name: str, *, kind: str = "key") -> list[dict[str, Any]]:
        """The account's bookings, newest first, at most a thousand."""
        path = f"{self.prefix}{ROOT}/accounts/{quote(name, safe='')}/ledger?limit=1000&kind={kind}"
        return list(self._json("GET", path, None, 200)["entries"])

    def freeze(self, iso: str | None) -> None:
        """Stop the session's clock at a time, or let it run again."""
        self._json("PUT", self.prefix + ROOT + "/clock", {"frozen_at": iso}, 200)

    def advance(self, seconds: float) -> None:
        """Move the session's clock."""
        self._json("POST", self.prefix + ROOT + "/clock/advance", {"seconds": seconds}, 200)

    def _json(self, method: str, path: str, body: Any, status: int) -> Any:
        reply = self._send(method, path, body)
        if reply.status != status:
            told = reply.body[:200].decode("utf-8", "replace")
            raise ControlError(f"{method} {path.partition('?')[0]} answered {reply.status}: {told}")
        try:
            return reply.json()
        except BadReply as bad:
            raise ControlError(f"{method} {path}: {bad}") from bad

    def _send(self, method: str, path: str, body: Any) -> Reply:
        headers = [("Content-Type", "application/json")]  # which a change must say even without a body
        if self.token:
            headers.append(("X-Mock-Token", self.token))
        data = b"" if body is None else json.dumps(body).encode()
        reply = self.transport.send(Request(method, path, tuple(headers), data, absolute=True))
        if reply is None:
            raise TransportFault("closed", f"{method} {path}: no answer")
        return reply
