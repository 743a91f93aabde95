"""The transport in process: calls an ASGI application, thousands of cases in seconds, no socket."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import sys
import sysconfig
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from venice_contract.wire.message import Reply, Request, TransportFault

App = Callable[[Any, Any, Any], Awaitable[None]]
_PIECE = 1 << 18


class AppError(Exception):
    """The application cannot be had. The text is one sentence."""


def load_app(name: str) -> App:
    """The application that ``module:attribute`` names: an ASGI callable, or a factory without arguments.

    The current folder is looked in first. Raises AppError.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise AppError(f"asgi:{name}: expected asgi:MODULE:ATTRIBUTE.")
    here = str(Path.cwd())
    if sys.path[0] != here:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
    except Exception as error:
        if (
            isinstance(error, ModuleNotFoundError)
            and error.name
            and f"{module}.".startswith(f"{error.name}.")
        ):
            where = f"in {here}, the current folder, nor among the installed modules"
            raise AppError(f"asgi:{name}: there is no module {error.name} {where}.") from error
        told = f"{type(error).__name__}: {error}"
        raise AppError(f"asgi:{name}: the module {module} cannot be imported: {told}.") from error
    for step in attribute.split("."):
        found = getattr(found, step, None)
        if found is None:
            raise AppError(f"asgi:{name}: {module} has no {attribute}.")
    if not callable(found):
        raise AppError(f"asgi:{name} is not callable.")
    target = found if inspect.isroutine(found) or inspect.isclass(found) else found.__call__
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    needed = [
        p
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    app: App = found() if not needed and not any(p.kind is p.VAR_POSITIONAL for p in parameters) else found
    return app


@dataclass
class AsgiTransport:
    """Sends requests to ``app`` on an event loop of its own. Runs the application's lifespan; close it."""

    app: App
    timeout_s: float = 30.0
    authority: str = "127.0.0.1:8402"
    runner: asyncio.Runner = field(default_factory=asyncio.Runner, repr=False)
    _lifespan: _Lifespan | None = field(default=None, repr=False)

    in_process = True
    scheme = "http"
    host = "127.0.0.1"

    def send(self, request: Request) -> Reply | None:
        """Exchange one request; None when it leaves before its answer. Raises TransportFault."""
        return self.runner.run(self._one(request))

    def send_all(self, requests: Sequence[Request]) -> list[Reply | TransportFault | None]:
        """All at once; faults stand where their replies would."""

        async def safe(request: Request) -> Reply | TransportFault | None:
            try:
                return await self._one(request)
            except TransportFault as fault:
                return fault

        async def every() -> list[Reply | TransportFault | None]:
            await self._start()
            return list(await asyncio.gather(*(safe(request) for request in requests)))

        return self.runner.run(every())

    def close(self) -> None:
        """End the application's lifespan and the loop."""
        if self._lifespan is not None:
            self.runner.run(self._lifespan.stop())
        self.runner.close()

    async def _start(self) -> None:
        if self._lifespan is None:
            self._lifespan = _Lifespan(self.app)
            await self._lifespan.start()

    async def _one(self, request: Request) -> Reply | None:
        await self._start()
        started = time.monotonic()
        sent: list[dict[str, Any]] = []
        answered, gone = asyncio.Event(), asyncio.Event()
        body = request.body if request.sends is None else request.body[: request.sends]
        pieces = iter([body[i : i + _PIECE] for i in range(0, len(body), _PIECE)] or [b""])
        state = {"next": next(pieces, None)}

        async def receive() -> dict[str, Any]:
            piece = state["next"]
            if piece is not None:
                state["next"] = next(pieces, None)
                more = state["next"] is not None or request.sends is not None
                return {"type": "http.request", "body": piece, "more_body": more}
            if request.then == "leave":
                gone.set()
            else:
                await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if gone.is_set():
                raise OSError("the client is gone")
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answered.set()

        where = f"{request.method} {request.path.partition('?')[0]}"
        limit = asyncio.timeout(self.timeout_s)
        try:
            async with limit:
                await self.app(self._scope(request), receive, send)
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                told = f"{where}: no whole answer within {self.timeout_s:g} seconds."
                raise TransportFault("timeout", told) from error
            # is what a server would turn into a 500 or a closed connection. A server sends what was sent before;
            # and that an application gives up when its client is gone is no fault.
            if not answered.is_set() and not (gone.is_set() and isinstance(error, OSError)):
                raised = f"{type(error).__name__} ({_raised_at(error)})"
                told = f"{where}: the application raised {raised} and did not answer."
                raise TransportFault("failed", told) from error
        if request.then == "leave":
            return None
        if not answered.is_set():
            raise TransportFault("failed", f"{where}: the application ended without a whole answer.")
        start = next(m for m in sent if m["type"] == "http.response.start")
        headers = tuple(
            (bytes(n).decode("latin-1").lower(), bytes(v).decode("latin-1")) for n, v in start["headers"]
        )
        whole = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        return Reply(start["status"], headers, whole, time.monotonic() - started)

    def _scope(self, request: Request) -> dict[str, Any]:
        path, _, query = request.path.partition("?")
        headers = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in request.headers]
        if request.header("host") is None:
            headers.insert(0, (b"host", self.authority.encode("ascii")))
        if request.framing == "chunked":
            headers.append((b"transfer-encoding", b"chunked"))
        elif request.header("content-length") is None and request.body:
            headers.append((b"content-length", str(len(request.body)).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8402),
        }


def _raised_at(error: Exception) -> str:
    """``file.py:12``: the innermost line of the application itself, or of a library where none is its own.

    The text of an exception is left out: it may hold secrets, and addresses that differ from run to run.
    """
    frames = traceback.extract_tb(error.__traceback__)
    libraries = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
    own = [frame for frame in frames if not frame.filename.startswith((*libraries, __file__, "<"))]
    frame = (own or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


class _Lifespan:
    """An application's start and stop; one that knows no lifespan is left alone."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises AppError when the application refuses to start."""
        self._task = asyncio.create_task(self._run())
        await self._inbox.put({"type": "lifespan.startup"})
        told = await self._outbox.get()
        if told == "lifespan.startup.failed":
            raise AppError("the application refused to start.")

    async def stop(self) -> None:
        """Shut down, and wait for it."""
        if self._task is None or self._task.done():
            return
        await self._inbox.put({"type": "lifespan.shutdown"})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._task), 10)
        self._task.cancel()

    async def _run(self) -> None:
        async def send(message: dict[str, Any]) -> None:
            await self._outbox.put(message["type"])

        try:
            await self._app(
                {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._inbox.get, send
            )
        except Exception:  # noqa: BLE001 - an application without lifespan says so by raising whatever it likes
            pass
        finally:
            await self._outbox.put("lifespan.ended")
