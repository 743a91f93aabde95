"""How a mutant is made: by changed data, by a replaced function, or by an altered request or answer."""

from __future__ import annotations

import asyncio
import functools
import json
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import venice_mock.contract
from venice_contract.judging.facts import Side
from venice_mock.asgi import make_app
from venice_mock.contract import Edition

EDITIONS = Path(venice_mock.contract.__file__).parent / "editions"
HOME = "2026-06-19"
API_EDIT = "/image/edit"
_STALLED_S = 0.3  # without a byte a request is handed on as it came


@dataclass(frozen=True)
class Answer:
    """An answer on its way out; header names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value under ``name``."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def with_header(self, name: str, value: str | None) -> Answer:
        """The same with one header set, or removed."""
        kept = tuple((key, old) for key, old in self.headers if key != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name.lower(), value)))

    def with_body(self, body: bytes | Any, status: int | None = None) -> Answer:
        """The same with another body (JSON unless bytes) and, if given, another status."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return replace(self, status=self.status if status is None else status, body=data).with_header(
            "content-length", str(len(data))
        )

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Mutant:
    """A server that breaks ``rule`` and nothing that does not follow from it.

    ``text`` says what is broken, in the words of somebody who broke it. ``follows``: rules that necessarily
    fail with it. ``breaks`` is entered before the application is made and left after it was judged.
    """

    rule: str
    text: str
    breaks: Callable[[], AbstractContextManager[Callable[[ASGIApp], ASGIApp]]]
    follows: tuple[str, ...] = ()
    edition: str = HOME
    behavior: Side = "documented"

    @contextmanager
    def app(self) -> Iterator[ASGIApp]:
        """The broken application."""
        with self.breaks() as wrap:
            yield wrap(make_app())


def _as_it_is(app: ASGIApp) -> ASGIApp:
    return app


def replaced(
    rule: str, text: str, target: str, new: Any, *, follows: tuple[str, ...] = (), **more: Any
) -> Mutant:
    """The name ``target`` (dotted, as ``unittest.mock.patch`` takes it) is ``new`` in the server.

    Where the server imported a function by name, name the module that uses it.
    """

    @contextmanager
    def breaks() -> Iterator[Callable[[ASGIApp], ASGIApp]]:
        with mock.patch(target, new):
            yield _as_it_is

    return Mutant(rule, text, breaks, follows, **more)


def wrapping(
    rule: str,
    text: str,
    target: str,
    wrap: Callable[[Any], Any],
    *,
    follows: tuple[str, ...] = (),
    **more: Any,
) -> Mutant:
    """The function ``target`` is replaced by ``wrap(the original)``."""

    @contextmanager
    def breaks() -> Iterator[Callable[[ASGIApp], ASGIApp]]:
        with mock.patch(target, wrap(pkgutil.resolve_name(target))):
            yield _as_it_is

    return Mutant(rule, text, breaks, follows, **more)


def with_data(
    rule: str,
    text: str,
    change: Callable[[dict[str, Any]], None],
    *,
    follows: tuple[str, ...] = (),
    edition: str = HOME,
    **more: Any,
) -> Mutant:
    """The server's edition file is another one: ``change`` alters its JSON. The suite judges by the true file."""

    @contextmanager
    def breaks() -> Iterator[Callable[[ASGIApp], ASGIApp]]:
        with changed_editions(change):
            yield _as_it_is

    return Mutant(rule, text, breaks, follows, edition, **more)


@contextmanager
def changed_editions(change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Within the block the mock loads altered editions."""
    from venice_mock.contract import loading

    original = loading.load_edition

    @functools.cache
    def load(name: str) -> Any:
        if name not in loading.available_editions():
            return original(name)
        data = json.loads((EDITIONS / f"{name}.json").read_bytes())
        change(data)
        return msgspec.json.decode(json.dumps(data), type=Edition)

    with mock.patch("venice_mock.contract.loading.load_edition", load):
        yield


def answering(
    rule: str,
    text: str,
    change: Callable[[Scope, bytes, Answer], Answer],
    *,
    where: str = API_EDIT,
    follows: tuple[str, ...] = (),
    **more: Any,
) -> Mutant:
    """Answers of paths that end with ``where`` (before the query) are altered on their way out.

    ``change`` sees the scope and the whole request body. Control paths are never touched.
    """

    @contextmanager
    def breaks() -> Iterator[Callable[[ASGIApp], ASGIApp]]:
        yield lambda app: altering(app, change, where)

    return Mutant(rule, text, breaks, follows, **more)


def altering(app: ASGIApp, change: Callable[[Scope, bytes, Answer], Answer], where: str) -> ASGIApp:
    """The application with altered answers."""

    async def altered(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or not path.endswith(where) or "/__mock" in path:
            await app(scope, receive, send)
            return
        sent: list[Message] = []
        read = bytearray()

        async def reading() -> Message:
            message = await receive()
            read.extend(message.get("body", b""))
            return message

        async def keep(message: Message) -> None:
            sent.append(message)

        await app(scope, reading, keep)
        if not sent:
            return
        start = sent[0]
        headers = tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in start["headers"])
        body = b"".join(m.get("body", b"") for m in sent[1:])
        answer = change(scope, bytes(read), Answer(start["status"], headers, body))
        raw = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    return altered


def asking(
    rule: str,
    text: str,
    change: Callable[[Scope, bytes], Awaitable[tuple[Scope, bytes]] | tuple[Scope, bytes]],
    *,
    where: str = API_EDIT,
    follows: tuple[str, ...] = (),
    **more: Any,
) -> Mutant:
    """Requests to paths that end with ``where`` are altered (scope, whole body) before the server sees them.

    One whose body stops arriving goes on unaltered.
    """

    @contextmanager
    def breaks() -> Iterator[Callable[[ASGIApp], ASGIApp]]:
        yield lambda app: _reading_otherwise(app, change, where)

    return Mutant(rule, text, breaks, follows, **more)


def _reading_otherwise(app: ASGIApp, change: Callable[[Scope, bytes], Any], where: str) -> ASGIApp:
    async def altered(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or not path.endswith(where) or "/__mock" in path:
            await app(scope, receive, send)
            return
        read: list[Message] = []
        while not read or read[-1].get("more_body", False):
            try:
                async with asyncio.timeout(_STALLED_S):
                    read.append(await receive())
            except TimeoutError:  # the client waits in the middle of its body: the server's own affair
                await app(scope, _replaying(read, receive), send)
                return
            if read[-1]["type"] != "http.request":
                return
        changed = change(scope, b"".join(message.get("body", b"") for message in read))
        new_scope, new_body = changed if isinstance(changed, tuple) else await changed
        headers = [(n, v) for n, v in new_scope["headers"] if n.lower() != b"content-length"]
        new_scope = {**new_scope, "headers": [*headers, (b"content-length", str(len(new_body)).encode())]}
        handed: list[Message] = [{"type": "http.request", "body": new_body, "more_body": False}]
        await app(new_scope, _replaying(handed, receive), send)

    return altered


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    """Hands out these messages, then what is still to come."""
    left = iter(messages)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return again
