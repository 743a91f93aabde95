"""Servers that are not the mock, for the suite to judge: bad ones, a good one that deviates, and a careful one.

All are ASGI applications; nothing here can be steered, so the suite meets them as foreign servers.
"""

from __future__ import annotations

import base64
import json
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from venice_contract.wire.asgi import AsgiTransport
from venice_contract.wire.message import Request as Message
from venice_mock.app import create_app
from venice_mock.contract import Edition, load_edition
from venice_mock.contract.types import Words
from venice_mock.settings import Settings

EDIT = "/api/v1/image/edit"
HOME = "2026-06-19"
_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABc3UBGAAAAABJRU5ErkJggg=="
)


def always_200() -> Starlette:
    """Answers everything with 200 and one small JSON object."""

    async def answer(request: Request) -> Response:
        await request.body()
        return JSONResponse({"ok": True})

    return Starlette(
        routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])]
    )


def schema_only() -> Starlette:
    """Knows the fields and their types and nothing else: no models, no pictures, no money."""
    edition = load_edition(HOME)
    rows = [{"id": m.id, "object": "model", "type": m.type} for m in edition.models]

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "type": "inpaint", "data": rows})

    async def edit(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            await request.body()
            return JSONResponse({"error": "Unsupported Media Type"}, 415)
        try:
            said = await request.json()
        except ValueError:
            return JSONResponse({"error": "Invalid JSON request"}, 400)
        faults = _schema_faults(edition, said)
        if faults:
            details = {"_errors": [], **{name: {"_errors": ["is wrong"]} for name in faults}}
            return JSONResponse({"error": "Invalid request parameters", "details": details}, 400)
        return Response(_DOT, media_type="image/png")

    return Starlette(routes=[Route("/api/v1/models", models), Route(EDIT, edit, methods=["POST"])])


def _schema_faults(edition: Edition, said: Any) -> list[str]:
    if not isinstance(said, dict):
        return ["_root"]
    fields = edition.fields
    lists = {"aspect_ratio": fields.aspect_ratios, "output_format": fields.output_formats}
    faults = [name for name in fields.required if name not in said]
    for name, value in said.items():
        if name == "safe_mode":
            good = type(value) is bool
        else:
            good = name in fields.known and isinstance(value, str) and value != ""
            good = good and (name not in lists or value in lists[name])
        if not good:
            faults.append(name)
    return faults


FIVE_DEVIATIONS = ("EDIT-AUTH-012", "EDIT-FMT-004", "EDIT-IMG-012", "EDIT-MOD-005", "EDIT-HTTP-003")
FOLLOWING = ("EDIT-IMG-015",)  # the smallest number of pixels is told by two rules


def with_five_deviations() -> Any:
    """The mock without its control plane, with five rules broken: see FIVE_DEVIATIONS."""
    app = create_app(Settings(control=False, engine="fast"))
    payments = [name.lower().encode() for name in load_edition(HOME).x402.payment_headers]

    def change(scope: Any, body: bytes, sent: list[Any]) -> tuple[int, bytes, bytes]:
        pays = any(name in payments for name, _ in scope["headers"])
        return _deviate(body, sent, pays=pays)

    return _answering_otherwise(app, change)


def with_odd_statuses() -> Any:
    """The mock without its control plane: an empty prompt is 422, an unknown model 400."""

    def change(_scope: Any, body: bytes, sent: list[Any]) -> tuple[int, bytes, bytes]:
        status, data, kind = _as_sent(sent)
        asked = _json(body)
        is_empty = isinstance(asked, dict) and asked.get("prompt") == ""
        return 422 if is_empty and status == 400 else 400 if status == 404 else status, data, kind

    return _answering_otherwise(create_app(Settings(control=False, engine="fast")), change)


def _answering_otherwise(
    app: Any, change: Callable[[Any, bytes, list[Any]], tuple[int, bytes, bytes]]
) -> Any:
    """The application with edits answered by what ``change`` makes of scope, body and the messages sent."""

    async def deviating(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/image/edit"):
            await app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        sent: list[Any] = []
        unread = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Any:
            return next(unread, None) or await receive()  # a second one waits for the client to leave

        async def keep(message: Any) -> None:
            sent.append(message)

        await app(scope, again, keep)
        status, data, kind = change(scope, body, sent)
        headers = [(n, v) for n, v in sent[0]["headers"] if n not in (b"content-length", b"content-type")]
        headers += [(b"content-length", str(len(data)).encode()), (b"content-type", kind)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    return deviating


def _as_sent(sent: list[Any]) -> tuple[int, bytes, bytes]:
    """Status, body and media type."""
    data = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], data, dict(sent[0]["headers"])[b"content-type"]


def _deviate(body: bytes, sent: list[Any], *, pays: bool) -> tuple[int, bytes, bytes]:
    """Status, body and media type of the answer, with the five mistakes made."""
    status, data, kind = _as_sent(sent)
    said = _json(data)
    asked = _json(body)
    asked = asked if isinstance(asked, dict) else {}
    error = said.get("error") if isinstance(said, dict) else None
    if status == 402 and isinstance(said, dict) and "authOptions" in said and not pays:
        return 401, json.dumps({"error": "Authentication failed"}).encode(), kind  # EDIT-AUTH-012
    if status == 415:
        return 422, data, kind  # EDIT-HTTP-003
    if status == 404:
        return 400, data, kind  # EDIT-MOD-005
    if error == "Image dimensions are too small":
        return 200, _DOT, b"image/png"  # EDIT-IMG-012
    if status == 200 and asked.get("resolution") == "2K" and "output_format" not in asked:
        return 200, _as_png(data), b"image/png"  # EDIT-FMT-004
    return status, data, kind


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _as_png(data: bytes) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "PNG", compress_level=1)
    return out.getvalue()


# --- a loopback stand-in of the paid original ------------------------------------------------------------------


@dataclass
class VirtualTime:
    """Time that passes only when somebody sleeps."""

    now: float = 1_800_000_000.0
    slept: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.slept += seconds


@dataclass
class Paid:
    """The original as far as money and limits go, with counters of its own that are the evidence.

    Charges, 20 image requests a minute, a block after 20 failures in 30 s: all enforced by the mock's real
    limits on a virtual clock. ``forced`` answers (by request number) come instead of the usual ones.
    """

    time: VirtualTime
    key: str
    balance: str = "5"
    forced: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)
    requests: int = 0
    edits: deque[float] = field(default_factory=deque)
    most_edits_a_minute: int = 0
    failures: deque[float] = field(default_factory=deque)
    most_failures_in_30_s: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    words_seen: list[str] = field(default_factory=list)
    control_asked: int = 0
    keys_seen: set[str] = field(default_factory=set)
    words: Words = field(default_factory=lambda: load_edition(HOME).words)
    _app: Any = None

    def app(self, keys_file: Any) -> Callable[..., Any]:
        """The application. ``keys_file``: a path where the list of its one key may be written."""
        keys_file.write_text(json.dumps({self.key: {"balance_usd": self.balance}}))
        settings = Settings(control=False, engine="fast", limits="real", keys=keys_file, pure=True)
        self._app = create_app(settings, wall_clock=self.time)
        return self._serve

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.requests += 1
        self.control_asked += "/__mock" in scope["path"]
        is_edit = scope["path"] == EDIT
        headers = dict(scope["headers"])
        token = headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ")
        if token:
            self.keys_seen.add(token)
        if is_edit:
            self.most_edits_a_minute = max(self.most_edits_a_minute, _windowed(self.edits, self.time.now, 60))
        seen = bytearray()

        async def reading() -> Any:
            message = await receive()
            seen.extend(message.get("body", b""))
            return message

        async def counting(message: Any) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                self.statuses[status] += 1
                if status >= 400:
                    most = _windowed(self.failures, self.time.now, 30)
                    self.most_failures_in_30_s = max(self.most_failures_in_30_s, most)
            await send(message)

        forced = self.forced.get(self.requests)
        if forced is not None:
            status, extra = forced
            raw = [
                (b"content-type", b"application/json"),
                *((k.encode(), v.encode()) for k, v in extra.items()),
            ]
            await counting({"type": "http.response.start", "status": status, "headers": raw})
            await counting({"type": "http.response.body", "body": b'{"error": "told so"}'})
        else:
            await self._app(scope, reading, counting)
        self._look_for_words(bytes(seen))

    def charged(self) -> Decimal:
        """USD that left the key's account, asked of the server itself once the run is over."""
        transport = AsgiTransport(self._app)
        try:
            bearer = (("Authorization", f"Bearer {self.key}"),)
            reply = transport.send(Message("GET", "/api/v1/billing/balance", bearer))
        finally:
            transport.close()
        assert reply is not None
        left = json.loads(reply.body, parse_float=Decimal, parse_int=Decimal)["balances"]["usd"]
        return Decimal(self.balance) - Decimal(left)

    def _look_for_words(self, body: bytes) -> None:
        prompt = str((_json(body) or {}).get("prompt", "")) if body[:1] == b"{" else ""
        self.words_seen += [w for w in (*self.words.adult, *self.words.policy) if w in prompt.lower().split()]


def _windowed(times: deque[float], now: float, window: float) -> int:
    times.append(now)
    while times[0] <= now - window:
        times.popleft()
    return len(times)
