"""The server of a test: uvicorn in a thread of this process, with the protocol that ``venice-mock serve`` has."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

from uvicorn import Server

from venice_mock import logs
from venice_mock.app import create_app
from venice_mock.listening import bind
from venice_mock.serving import Address, Streams, uvicorn_config
from venice_mock.settings import Settings, SettingsError

_GRACE_S = 1  # for what is in flight at the end: a test that is over waits for nothing, stalled answers least
_STARTING_S = 60.0


class Background:
    """A running server. Raises SettingsError for settings that cannot be served.

    It is a daemon thread: a process that ends without ``stop`` does not hang.
    """

    def __init__(self, settings: Settings) -> None:
        self._listener = bind(settings.host, settings.port)
        try:
            app = create_app(settings)
        except (ValueError, OSError) as error:
            self._listener.close()
            raise SettingsError(str(error)) from error
        self.origin = Address(settings.host, self._listener.getsockname()[1]).origin
        logged = logs.AccessLog(app, logging.getLogger(logs.LOGGER))
        self._server = _ThreadServer(logged, app.state.streams)
        self._thread = threading.Thread(target=self._run, name="venice-mock", daemon=True)
        self._thread.start()
        if not self._server.up.wait(_STARTING_S) or not self._server.started:
            self.stop()
            raise RuntimeError("The mock server did not start; its log says why.")

    def stop(self) -> None:
        """End the server, and wait until its thread is gone."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._server.up.set()


class _ThreadServer(Server):
    def __init__(self, app: logs.AccessLog, streams: Streams) -> None:
        super().__init__(uvicorn_config(app, grace_s=_GRACE_S))
        self.up = threading.Event()
        self._streams = streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._streams.life_s = None
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, streams first."""
        self._streams.stop()
        await asyncio.sleep(0)
        await super().shutdown(sockets)
