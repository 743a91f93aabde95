"""Applications in process for the tests of commands, under a name that ``--base-url asgi:`` can have."""

from __future__ import annotations

import json
import signal
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from venice_contract.wire.asgi import AsgiTransport
from venice_contract.wire.message import Reply, Request, TransportFault
from venice_mock.app import create_app
from venice_mock.settings import Settings

App = Callable[[Any, Any, Any], Any]


def named(app: App, monkeypatch: pytest.MonkeyPatch) -> str:
    """The target under which the suite finds this application."""
    module = types.ModuleType("judged_app")
    module.__dict__["app"] = app
    monkeypatch.setitem(sys.modules, "judged_app", module)
    return "asgi:judged_app:app"


def mock(**settings: Any) -> App:
    """The mock with the quick engine."""
    return create_app(Settings(engine="fast", **settings))


def die_after(requests: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The transport in process finds nobody any more once so many requests were sent.

    What is returned holds how many may still be sent; below zero, how many were sent in vain.
    """
    left, send = [requests], AsgiTransport._one

    async def one(self: AsgiTransport, request: Request) -> Reply | None:
        left[0] -= 1
        if left[0] < 0:
            raise TransportFault("closed", f"{request.method} {request.path}: nobody is there any more.")
        return await send(self, request)

    monkeypatch.setattr(AsgiTransport, "_one", one)
    return left


def signalling(app: App, number: signal.Signals, at: int) -> App:
    """The application; when it has been asked so often, this process gets a signal, as by Ctrl-C."""
    left = [at]

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(number)
        await app(scope, receive, send)

    return serve


def answering(status: int, body: bytes, media: str = "application/json", **headers: str) -> App:
    """Lists no model, and answers everything else with this. ``$AUTHORIZATION`` becomes the request's header."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError("no lifespan")
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        sent = dict(scope["headers"]).get(b"authorization", b"")
        is_list = scope["path"].endswith("/models")
        told = json.dumps({"object": "list", "data": []}).encode() if is_list else body
        named = [(n.replace("_", "-").encode(), v.encode("latin-1")) for n, v in headers.items()]
        raw = [(b"content-type", b"application/json" if is_list else media.encode()), *named]
        raw = [(name, value.replace(b"$AUTHORIZATION", sent)) for name, value in raw]
        await send({"type": "http.response.start", "status": 200 if is_list else status, "headers": raw})
        await send({"type": "http.response.body", "body": told.replace(b"$AUTHORIZATION", sent)})

    return serve
