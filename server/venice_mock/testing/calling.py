"""How a mock's handle reaches the control plane: over HTTP, or straight into the application. Blocking calls only.

Neither holds a lock or a connection between calls, so a handle may be used by several threads.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
__tracebackhide__ = True  # pytest: the test's own line is what failed
_PATIENCE_S = 60.0
_TOKEN = "X-Mock-Token"


class ControlError(ValueError):
    """The control plane refused an order; the text is its sentence."""

    __module__ = "venice_mock"  # a short name leaves room for the sentence in a summary of one line

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the control plane."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Line(Protocol):
    """A way to the control plane."""

    def send(self, method: str, path: str, body: bytes | None) -> Reply:
        """One request and its answer; ``path`` begins at the server's root."""
        ...


def call(line: Line, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """The answer's JSON. Raises ControlError for a refusal."""
    return told(line.send(method, path, None if body is None else json.dumps(body).encode()))


def told(reply: Reply) -> Any:
    """The answer's JSON. Raises ControlError for a refusal."""
    if reply.status >= 400:
        raise ControlError(reply.status, _sentence(reply))
    return reply.json


@dataclass(frozen=True, slots=True)
class HttpLine:
    """Over the network, by the standard library alone: no proxy of the environment comes between."""

    origin: str
    token: str | None = None

    def send(self, method: str, path: str, body: bytes | None) -> Reply:
        """One request over a connection of its own. Raises OSError when the server is gone."""
        place = urlsplit(self.origin)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_PATIENCE_S)
        try:
            connection.request(method, path, body, _headers(self.token, None))
            answer = connection.getresponse()
            return Reply(answer.status, answer.read())
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class AppLine:
    """Into an application of this process, on an event loop of the call's own.

    The loop runs in another thread, because the caller may stand in a running one, which then waits as it would
    for the network.
    """

    app: App
    token: str | None = None

    def send(self, method: str, path: str, body: bytes | None) -> Reply:
        """One request. Raises what the application raises."""
        result: list[Reply] = []
        failure: list[BaseException] = []

        def work() -> None:
            try:
                result.append(asyncio.run(self._request(method, path, body or b"")))
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                failure.append(error)

        thread = threading.Thread(target=work, name="venice-mock-control")
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return result[0]

    async def _request(self, method: str, target: str, body: bytes) -> Reply:
        path, _, query = target.partition("?")
        headers = _headers(self.token, "127.0.0.1")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 80),
        }
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return Reply(sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]))


def _headers(token: str | None, host: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if host is not None:
        headers["Host"] = host
    if token is not None:
        headers[_TOKEN] = token
    return headers


def _sentence(reply: Reply) -> str:
    try:
        said = reply.json["error"]
    except (ValueError, KeyError, TypeError):
        said = None
    return said if isinstance(said, str) else f"The control plane answered {reply.status}."
