"""How the control plane's routes are laid: each behind the guard, and their bodies read within bounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from venice_mock.control.guard import Guard
from venice_mock.edit.body import BodyTooLarge, BodyTooSlow, read_body
from venice_mock.errors import plain
from venice_mock.web.admission import CONTROL
from venice_mock.web.answers import json_response

_BODY = 1 << 20  # ours
_PATIENCE_S = 10.0  # ours


def guarded_route(
    guard: Guard, path: str, answer: Callable[[Request], Awaitable[Any]], *methods: str
) -> Route:
    """A route of the control plane: nobody gets to ``answer`` but past the guard. What is no Response becomes JSON."""

    async def guarded(request: Request) -> Response:
        if len(request.headers.getlist("host")) > 1:
            raise plain(400, "Only one Host header is taken", name="CONTROL_BAD_REQUEST")
        peer = request.client.host if request.client else None
        guard.check(request.method, request.headers, peer)
        found = await answer(request)
        return found if isinstance(found, Response) else json_response(found)

    return Route(CONTROL + path, guarded, methods=methods)


async def control_body(request: Request) -> bytes:
    """The body of a control request. Raises ApiError 413 for one that is longer than any has reason to be."""
    try:
        return await read_body(request.receive, limit=_BODY, timeout=_PATIENCE_S)
    except BodyTooLarge as error:
        raise plain(413, "The control plane takes 1 MiB at most", name="CONTROL_TOO_LARGE") from error
    except BodyTooSlow as error:
        raise plain(400, "The body did not arrive in time", name="CONTROL_SLOW", close=True) from error
