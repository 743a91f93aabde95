"""The server process: socket, uvicorn, ready line, clean end. Knows nothing of what the app answers."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import json
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Literal, NamedTuple, Protocol

import uvicorn
from starlette.types import ASGIApp

from venice_mock import logs, memory
from venice_mock.control.guard import is_loopback
from venice_mock.edit.deflate import FASTEST
from venice_mock.listening import bind
from venice_mock.settings import Settings, SettingsError
from venice_mock.settings_types import IN_PROCESS
from venice_mock.web.dating import Dated

_PROBE_PAUSE_S = 0.02
_PROBE_PATIENCE_S = 60.0
_IDLE_CONNECTION_S = 75  # longer than HTTP clients keep a connection pooled, so that none reuses a closed one
_GRACE_S = 30  # for what is in flight at a signal: longer than any edit, shorter than a supervisor waits
_FORCED = 130  # the shell's code for a process ended by Ctrl-C
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # listens everywhere -> an address to reach it by


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens, and how clients on this machine reach it."""

    host: str
    port: int

    @property
    def origin(self) -> str:
        """``http://host:port``, usable in a client."""
        reachable = _ANY_ADDRESS.get(self.host, self.host)
        return f"http://[{reachable}]:{self.port}" if ":" in reachable else f"http://{reachable}:{self.port}"

    @property
    def base_url(self) -> str:
        """The base URL to give to a client of the API."""
        return self.origin + "/api/v1"


class Streams(Protocol):
    """Answers of the app that last until somebody ends them, or ``life_s`` seconds where nobody can."""

    life_s: float | None

    def stop(self) -> None:
        """End all of them, and begin none any more."""
        ...


def serve(settings: Settings, create_app: Callable[[Settings], ASGIApp]) -> int:
    """Serve until SIGINT or SIGTERM and return the process's exit code: 0 after a clean end.

    Raises SettingsError, before anything is announced, for an address that cannot be had, a port file that
    cannot be written, for workers without a shared
    store, and whatever ``create_app`` refuses with ValueError or OSError.
    """
    if settings.workers > 1 and settings.store == IN_PROCESS:
        raise SettingsError(
            f"{settings.workers} workers need a store that they share, or each would have accounts, limits and"
            " sessions of its own: add --store redis://HOST:PORT/DB, or serve with one."
        )
    listener = bind(settings.host, settings.port)
    # Nothing that a start makes is garbage, and looking for some takes a twentieth of it.
    gc.disable()
    try:
        logger = logs.configure(settings.log_format, settings.log_level)
        _check_port_file(settings.port_file)
        try:
            app = create_app(settings)
        except (ValueError, OSError) as error:
            raise SettingsError(str(error)) from error
        address = Address(settings.host, listener.getsockname()[1])
        announcement = _Announcement(address, settings, logger)
        try:
            if settings.workers > 1:  # the app was made to see whether it can be; each worker makes its own
                from venice_mock.workers import run_workers

                gc.enable()
                # Whichever worker is asked knows the questions of all.
                work = partial(_work, create_app, secrets.token_hex(16))
                return run_workers(settings, listener, work, announcement.make, logger)
            told = announcement.make, announcement.withdraw
            return _serve_app(app, settings, listener, told, secrets.token_hex(16))
        finally:
            announcement.withdraw()
    finally:
        gc.enable()
        listener.close()


def _work(
    create_app: Callable[[Settings], ASGIApp],
    probe: str,
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None],
) -> int:
    """What a worker does: it makes its own app and serves it, quietly."""
    logs.configure(settings.log_format, settings.log_level)
    return _serve_app(create_app(settings), settings, listener, (ready, _nothing), probe)


def _nothing() -> None:
    """A worker announced nothing that it would have to withdraw."""


def _serve_app(
    app: ASGIApp,
    settings: Settings,
    listener: socket.socket,
    told: tuple[Callable[[], None], Callable[[], None]],
    probe: str,
) -> int:
    """Serve until a signal comes. ``told``: called once requests are answered, and before a forced end.

    ``probe``: the word by which the server's own questions are known.
    """
    memory.settle()
    logger = logs.configure(settings.log_format, settings.log_level)
    address = Address(settings.host, listener.getsockname()[1])
    watched = logs.AccessLog(app, logger, probe=probe)
    server = _Server(watched, address, _Told(*told, *_told_by(app)), logger, probe)
    try:
        server.run(sockets=[listener])
    except SystemExit:  # uvicorn's way to say that the app's start failed; it has told why
        return 1
    return 0 if server.signalled else 1


def uvicorn_config(app: ASGIApp, *, grace_s: int) -> uvicorn.Config:
    """How the app is served, wherever it is. ``grace_s``: how long what is in flight at the end may take."""
    return uvicorn.Config(
        Dated(app),
        loop="uvloop" if _importable("uvloop") else "asyncio",
        http=_http_protocol(),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # ours goes by the session's clock
        proxy_headers=False,
        timeout_keep_alive=_IDLE_CONNECTION_S,
        timeout_graceful_shutdown=grace_s,
    )


@dataclass(slots=True)
class _Announcement:
    """What is told of a server that answers: a line of JSON, a greeting, the port file."""

    address: Address
    settings: Settings
    logger: logging.Logger
    announced: bool = False

    def make(self) -> None:
        """Tell it, once it is true."""
        settings, address = self.settings, self.address
        ready = {
            "event": "ready",
            "base_url": address.base_url,
            "host": address.host,
            "port": address.port,
            "pid": os.getpid(),
            "edition": _edition_name(settings.edition),
            "behavior": settings.behavior,
            "png_writer": FASTEST.name,
        }
        if settings.port_file is not None:
            _write_whole(settings.port_file, f"{address.port}\n")
        self.announced = True
        self.logger.debug("ready on %s", address.base_url, extra={"fields": ready})
        if settings.log_format == "text" and self.logger.isEnabledFor(logging.INFO):
            print(banner(settings, address), file=sys.stderr, flush=True)
        try:
            print(json.dumps(ready), flush=True)
        except BrokenPipeError:
            # Whoever started us does not read; the server is no worse for it, and exit must not flush again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def withdraw(self) -> None:
        """Remove the port file, unless another server has put its own there since."""
        file = self.settings.port_file
        if file is None or not self.announced:
            return
        try:
            if file.read_text("ascii") == f"{self.address.port}\n":
                file.unlink()
        except (OSError, UnicodeDecodeError):
            return  # gone already, or somebody else's


class _Told(NamedTuple):
    """Whom the server tells that it answers, or that it leaves by force; and what it asks the app for."""

    ready: Callable[[], None]
    leave: Callable[[], None]
    streams: Streams | None
    fault: Callable[[], str | None]  # why the app can never be ready


def _told_by(app: ASGIApp) -> tuple[Streams | None, Callable[[], str | None]]:
    """Of an app that is not ours there is nothing to know."""
    state = getattr(app, "state", None)
    return getattr(state, "streams", None), getattr(state, "fault", lambda: None)


class _Server(uvicorn.Server):
    """uvicorn that says when it really answers, and ends with 0 after a signal."""

    def __init__(
        self,
        app: ASGIApp,
        address: Address,
        told: _Told,
        logger: logging.Logger,
        probe: str,
    ) -> None:
        super().__init__(uvicorn_config(app, grace_s=_GRACE_S))
        self.signalled = False
        self._address = address
        self._ready, self._leave, self._streams, self._fault = told
        self._logger = logger
        self._probe = probe

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, make sure of a real answer, then announce."""
        await super().startup(sockets)
        if self._streams is not None:
            self._streams.life_s = None  # they are told when to end, and need not end by themselves
        if await self._answers():
            self._ready()
        gc.freeze()  # what is there now stays: no later search need look at it
        gc.enable()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """First signal: stop accepting, finish what is in flight. Second Ctrl-C: leave at once.

        uvicorn would note the signal here to raise it again after its shutdown, which would end the process
        by the signal instead of with 0.
        """
        self.signalled = True
        if not self.should_exit:
            self.should_exit = True
        elif sig == signal.SIGINT:
            self._leave()
            os._exit(_FORCED)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say what is waited for, then end as uvicorn does. Streams that nobody would end are ended first."""
        if self._streams is not None:
            self._streams.stop()
            await asyncio.sleep(_PROBE_PAUSE_S)  # they end in a moment, and are not waited for then
        waiting = max(len(self.server_state.tasks), self._open_answers())
        rest = (
            f": finishing {waiting} request{'s' if waiting > 1 else ''} (Ctrl-C again to force)"
            if waiting
            else ""
        )
        self._logger.info("stopping%s", rest, extra={"fields": {"event": "stopping", "in_flight": waiting}})
        await super().shutdown(sockets)

    def _open_answers(self) -> int:
        """Connections whose answer is not yet sent, though its task may have ended."""
        cycles = (getattr(connection, "cycle", None) for connection in self.server_state.connections)
        return sum(cycle is not None and not cycle.response_complete for cycle in cycles)

    async def _answers(self) -> bool:
        """Whether GET /readyz says 200 before the patience ends; false too when a signal comes first."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _PROBE_PATIENCE_S
        while not self.should_exit:
            status = await _status_of_readyz(self._address, self._probe)
            if status == 200:
                return True
            fault = self._fault()
            if fault is not None:  # for which nobody need wait
                self._logger.error("not ready: %s", fault)
                self.should_exit = True
                return False
            if loop.time() > end or (status is not None and status != 503):
                self._logger.error(
                    "not ready: GET %s/readyz gave %s", self._address.origin, status or "no answer"
                )
                self.should_exit = True
            await asyncio.sleep(_PROBE_PAUSE_S)
        return False


def banner(settings: Settings, address: Address) -> str:
    """The greeting for people: where it is, and a first request that works as pasted."""
    fields = "-H 'Authorization: Bearer mock_ok' -F prompt='make it a sunset'"
    post = f"curl -sS {address.base_url}/image/edit {fields}"
    sample = f"{address.origin}/__mock/sample.png"
    if "loopback" in settings.fetch and is_loopback(_ANY_ADDRESS.get(address.host, address.host)):
        first = f"{post} -F image={sample} -o edited.png"
    else:
        first = f"curl -sS {sample} -o in.png && {post} -F image=@in.png -o edited.png"
    lines = [
        "",
        f"  venice-mock is ready: {address.base_url}",
        f"  edition {_edition_name(settings.edition)}, {settings.behavior} behaviour; Ctrl-C ends it.",
    ]
    if settings.host in _ANY_ADDRESS:
        lines.append("  Everybody on your network can reach it: it listens on every address of this machine.")
    exposed = settings.trust_proxy or not is_loopback(settings.host.strip("[]"))
    if settings.control and (settings.control_token is not None or not exposed):
        lines.append(f"  What happens in it, to look at: {address.origin}/__mock/")
    lines += ["", "  A first edit, with nothing but curl:", "", f"  {first}", ""]
    return "\n".join(lines)


async def _status_of_readyz(address: Address, probe: str) -> int | None:
    """The status of GET /readyz over a new connection, or None when there was no answer."""
    host = _ANY_ADDRESS.get(address.host, address.host)
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, address.port)
            try:
                named = f"[{host}]" if ":" in host else host
                headers = f"Host: {named}:{address.port}\r\nConnection: close\r\n"
                sign = f"{logs.PROBE_HEADER.decode()}: {probe}\r\n"
                writer.write(f"GET /readyz HTTP/1.1\r\n{headers}{sign}\r\n".encode("ascii"))
                first = (await reader.readline()).split()
                await reader.read()
            finally:
                writer.close()
            return int(first[1]) if len(first) > 1 and first[1].isdigit() else None
    except (OSError, TimeoutError):
        return None


def _edition_name(edition: str) -> str:
    if not edition.endswith(".json"):
        return edition
    from venice_mock.contract import load_edition

    return load_edition(edition).edition


def _check_port_file(file: Path | None) -> None:
    if file is None:
        return
    replaceable = file.is_file() or not file.exists()  # never replace a folder or a device
    if not replaceable or not os.access(file.absolute().parent, os.W_OK):
        raise SettingsError(f"The port file {file} cannot be written.")


def _write_whole(file: Path, text: str) -> None:
    """Write so that a reader sees nothing or everything."""
    with tempfile.NamedTemporaryFile("w", dir=file.absolute().parent, delete=False, encoding="ascii") as part:
        part.write(text)
    Path(part.name).chmod(0o644)  # a temporary file is its owner's alone; whoever waits for us may be another
    Path(part.name).replace(file)


def _http_protocol() -> type[asyncio.Protocol] | Literal["h11"]:
    if not _importable("httptools"):
        return "h11"
    from venice_mock.wire import BoundedProtocol

    return BoundedProtocol


def _importable(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
