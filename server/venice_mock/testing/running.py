"""Where a mock comes from: a server in a thread, an ASGI application, or a server that runs already."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, Unpack
from urllib.parse import urlsplit

from venice_mock.testing.calling import App, AppLine, HttpLine, Line
from venice_mock.testing.mock import VeniceMock
from venice_mock.testing.options import ServerOptions, plain_values

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from venice_mock.settings import Settings

_IN_PROCESS = "http://127.0.0.1"
_ADDRESS = re.compile(r"(?P<session>/__s/[a-z0-9][a-z0-9-]{0,39})?(/api(/v1)?|/__mock)?/?")
_NOT_HERE = frozenset({"port_file", "control", "log_format", "log_level"})  # of a command, not of a mock


class InProcessMock(VeniceMock):
    """A mock without a port: give ``app`` to a client that calls ASGI applications.

    ``httpx.AsyncClient(transport=httpx.ASGITransport(mock.app), base_url=mock.base_url)``. Where a server would
    reset the connection, the application raises a ConnectionResetError.
    """

    @property
    def app(self) -> App:
        """The ASGI application of all its sessions; the path says which is meant."""
        line = self._line
        if not isinstance(line, AppLine):
            raise TypeError("This mock is a server; in_process() makes one that is an application.")
        return line.app


class ConnectedMock(VeniceMock):
    """A mock that somebody else started. As a context manager it is itself, and its end changes nothing there."""

    def __enter__(self) -> Self:
        """The same."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the server as it is."""


@contextmanager
def serve(**settings: Unpack[ServerOptions]) -> Iterator[VeniceMock]:
    """A mock server in a thread, on a free port unless ``port`` names one, until the block ends.

    The mock that is given is the server's default session; ``mock.session()`` opens others. Raises SettingsError
    for settings that cannot be served.
    """
    chosen = settings_of(settings)
    from venice_mock.testing.background import Background

    server = Background(chosen)
    try:
        yield VeniceMock(HttpLine(server.origin, chosen.control_token), server.origin)
    finally:
        server.stop()


@contextmanager
def in_process(**settings: Unpack[ServerOptions]) -> Iterator[InProcessMock]:
    """A mock as an ASGI application of this process, until the block ends. Raises SettingsError."""
    chosen = settings_of(settings)
    from venice_mock.app import create_app
    from venice_mock.settings import SettingsError
    from venice_mock.settings_types import IN_PROCESS

    if chosen.store != IN_PROCESS:  # whose connections belong to one event loop, and tests bring many
        raise SettingsError("A mock in process cannot share a store: use serve(store=...), which has a loop.")
    try:
        app = create_app(chosen)
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error
    line: Line = AppLine(app, chosen.control_token)
    try:
        yield InProcessMock(line, _IN_PROCESS)
    finally:
        _end(app)


def connect(url: str, token: str | None = None) -> ConnectedMock:
    """The handle of a mock that runs already, at its root or at a base URL such as its ready line's.

    The URL of a session (``http://127.0.0.1:8402/__s/t17/api/v1``) is that session, any other the default one.
    ``token``: that of a server with ``--control-token``. Nothing is sent yet: whether there is such a session shows
    at the first order. Raises ValueError for what is no address of a mock.
    """
    place = urlsplit(url if "://" in url else f"http://{url}")
    if "://" not in url:
        raise ValueError(f"{url!r} is no URL; did you mean {place.geturl()!r}?")
    path = _ADDRESS.fullmatch(place.path)
    if place.scheme != "http" or not place.hostname or path is None:
        known = "http://HOST:PORT, with or without /api/v1, or a session's http://HOST:PORT/__s/NAME/api/v1"
        raise ValueError(f"{url!r} is no address of a mock. Known: {known}.")
    origin = f"{place.scheme}://{place.netloc}"
    return ConnectedMock(HttpLine(origin, token), origin, path["session"] or "")


def settings_of(options: Mapping[str, Any]) -> Settings:
    """The settings that these keywords mean. Raises SettingsError; TypeError for a keyword that is none."""
    from venice_mock.control.guard import is_loopback
    from venice_mock.settings import OPTIONS, Settings, value_of

    known = {option.key: option for option in OPTIONS if option.key not in _NOT_HERE}
    chosen: dict[str, Any] = {"port": 0}
    for name, value in plain_values(options).items():
        if name not in known:
            raise TypeError(f"A mock has no setting {name!r}. Known: {', '.join(known)}.")
        nullable = value is None and getattr(Settings, name, None) is None
        chosen[name] = None if nullable else value_of(known[name], value, name)
    settings = Settings(**chosen)
    exposed = settings.trust_proxy or not is_loopback(settings.host)
    if exposed and settings.control_token is None:
        settings = dataclasses.replace(settings, control_token=secrets.token_urlsafe())
    return settings


def _end(app: Starlette) -> None:
    """Let the application close what it holds, from wherever this is called: there may be a running loop."""

    async def leave() -> None:
        async with app.router.lifespan_context(app):
            pass

    thread = threading.Thread(target=lambda: asyncio.run(leave()), name="venice-mock-end")
    thread.start()
    thread.join()
