"""A driver that calls an ASGI application in process: exact bytes in, exact bytes out, no socket, no client library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Reply:
    """What came back. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; an answer of any other media type fails here."""
        assert self.headers["content-type"] == "application/json", self.headers
        return json.loads(self.body)


@dataclass
class Client:
    """Sends requests to ``app`` on one event loop of its own. Close it."""

    app: App
    key: str | None = "a-test-key"
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def close(self) -> None:
        """End the loop."""
        self.runner.close()

    def get(self, path: str, **headers: str) -> Reply:
        """GET without a key unless one is named: ``authorization="Bearer x"``."""
        return self.runner.run(request(self.app, "GET", path, list(headers.items()), [b""]))

    def send(
        self,
        body: bytes | Iterable[bytes] = b"",
        *,
        content_type: str | None = "application/json",
        method: str = "POST",
        path: str = "/api/v1/image/edit",
        headers: Mapping[str, str] | None = None,
        key: str | None = "",
    ) -> Reply:
        """One request with any body; ``key=None`` sends no Authorization, ``""`` the client's own."""
        return self.runner.run(self.sending(body, content_type, method, path, headers, key))

    async def sending(
        self,
        body: bytes | Iterable[bytes] = b"",
        content_type: str | None = "application/json",
        method: str = "POST",
        path: str = "/api/v1/image/edit",
        headers: Mapping[str, str] | None = None,
        key: str | None = "",
    ) -> Reply:
        """The same as a coroutine, for concurrent requests: ``client.runner.run(...)``."""
        sent = [(name.lower(), value) for name, value in (headers or {}).items()]
        if content_type is not None:
            sent.append(("content-type", content_type))
        token = self.key if key == "" else key
        if token is not None:
            sent.append(("authorization", f"Bearer {token}"))
        chunks = [body] if isinstance(body, bytes) else body
        return await request(self.app, method, path, sent, chunks)

    def edit(self, *, key: str | None = "", headers: Mapping[str, str] | None = None, **fields: Any) -> Reply:
        """A JSON edit of exactly these fields."""
        return self.send(json.dumps(fields).encode(), key=key, headers=headers)

    def form(
        self, parts: Iterable[tuple[str, bytes | str]], *, key: str | None = "", boundary: str = "edge"
    ) -> Reply:
        """A multipart edit: bytes become file parts, text becomes text parts."""
        return self.send(
            form_body(parts, boundary), content_type=f"multipart/form-data; boundary={boundary}", key=key
        )


def form_body(parts: Iterable[tuple[str, bytes | str]], boundary: str = "edge") -> bytes:
    """A multipart/form-data body."""
    out = bytearray()
    for name, value in parts:
        file = (
            '; filename="picture"\r\nContent-Type: application/octet-stream'
            if isinstance(value, bytes)
            else ""
        )
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        out += (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return bytes(out + f"--{boundary}--\r\n".encode())


async def request(
    app: App,
    method: str,
    path: str,
    headers: Iterable[tuple[str, str]],
    chunks: Iterable[bytes],
    *,
    leave: asyncio.Event | None = None,
) -> Reply:
    """One request. The client stays until it has its answer, or until ``leave`` is set."""
    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8402"), *((n.encode(), v.encode("latin-1")) for n, v in headers)],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8402),
    }
    pending, sent = iter([*chunks, None]), []
    stay = leave or asyncio.Event()
    last = False

    async def receive() -> dict[str, Any]:
        nonlocal last
        if not last:
            chunk = next(pending)
            if chunk is not None:
                return {"type": "http.request", "body": chunk, "more_body": True}
            last = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await stay.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    names = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Reply(start["status"], names, b"".join(message.get("body", b"") for message in rest))
