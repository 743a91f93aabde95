"""What the tests of faults share: a raw client that tells how a connection ended. No tests."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from rulekit import EDIT, good_body

PATIENCE_S = 30.0
End = Literal["reset", "closed", "complete", "silent"]


@dataclass(frozen=True)
class Heard:
    """What came of one request. ``end``: how; ``status`` 0 when there was none."""

    end: End
    status: int
    headers: Mapping[str, str]
    body: bytes
    pieces: int

    @property
    def promised(self) -> int:
        """What Content-Length says."""
        return int(self.headers["content-length"])


def heard(
    origin: str,
    *,
    key: str = "mock_ok",
    order: str = "",
    path: str = EDIT,
    body: bytes | None = None,
    patience: float = PATIENCE_S,
) -> Heard:
    """One edit over a connection of its own, to its end or for as long as the patience lasts."""
    place = urlsplit(origin)
    data = good_body() if body is None else body
    headers = [
        f"POST {path} HTTP/1.1",
        f"Host: {place.netloc}",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        *([f"X-Mock: {order}"] if order else []),
    ]
    assert place.hostname is not None
    with socket.create_connection((place.hostname, place.port), timeout=patience) as wire:
        wire.sendall("\r\n".join(headers).encode() + b"\r\n\r\n" + data)
        return _listen(wire)


def _listen(wire: socket.socket) -> Heard:
    raw, pieces = b"", 0
    end: End | None = None
    while end is None:
        try:
            chunk = wire.recv(1 << 16)
        except ConnectionResetError:
            end = "reset"
            break
        except TimeoutError:
            end = "silent"
            break
        if not chunk:
            end = "closed"
            break
        raw, pieces = raw + chunk, pieces + 1
        head, found, body = raw.partition(b"\r\n\r\n")
        if found and len(body) >= int(_headers(head).get("content-length", "0")):
            end = "complete"
    head, _, body = raw.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head else 0
    return Heard(end, status, _headers(head), body, pieces)


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def told(origin: str, method: str, path: str, **body: Any) -> Any:
    """The JSON of a control request over HTTP."""
    data = json.dumps(body).encode() if method != "GET" else None
    request = Request(origin + path, data=data, method=method, headers={"Content-Type": "application/json"})
    with urlopen(request, timeout=PATIENCE_S) as reply:
        return json.load(reply)


def paid(origin: str, key: str) -> list[Decimal]:
    """What the account of ``key`` was charged, one amount an edit."""
    rows = told(origin, "GET", f"/__mock/accounts/{key}/ledger")["entries"]
    return [-Decimal(row["amount_usd"]) for row in rows if row["type"] == "CHARGE"]
