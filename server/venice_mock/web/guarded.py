"""How the control plane's routes are laid: each behind the guard, and their bodies read within bounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from venice_mock.control.guard import Guard
from venice_mock.edit.body import BodyTooLarge, BodyTooSlow, read_body
from venice_mock.errors import plain
from venice_mock.web.admission import CONTROL
from venice_mock.web.answers import json_response
from venice_mock.web.operations import DescribedRoute, Operation

_BODY = 1 << 20  # ours
_PATIENCE_S = 10.0  # ours


def guarded_route(
    guard: Guard, path: str, answer: Callable[[Request], Awaitable[Any]], *operations: Operation | str
) -> DescribedRoute:
    """A route of the control plane: nobody gets to ``answer`` but past the guard. What is no Response becomes JSON.

    Each method is given as the Operation that describes it (``get("The clock", CLOCK)``).
    """

    async def guarded(request: Request) -> Response:
        guard.check(request.method, request.headers, _peer(request))
        found = await answer(request)
        return found if isinstance(found, Response) else json_response(found)

    methods = [each if isinstance(each, str) else each.method for each in operations]
    described = [each for each in operations if isinstance(each, Operation)]
    return DescribedRoute(CONTROL + path, guarded, described, methods=methods, guarded=True)


def page_route(
    guard: Guard, path: str, answer: Callable[[Request], Awaitable[Response]], operation: Operation
) -> DescribedRoute:
    """A route of the inspector's page and its files: nobody gets there from elsewhere, and no token is wanted."""

    async def guarded(request: Request) -> Response:
        check_page(guard, request)
        return await answer(request)

    return DescribedRoute(CONTROL + path, guarded, [operation], guarded=True)


def check_page(guard: Guard, request: Request) -> None:
    """Raise ApiError 403 for whoever may not see the inspector's page."""
    guard.check_page(request.headers, _peer(request))


def _peer(request: Request) -> str | None:
    """The client's address. Raises ApiError 400 for a request with two hosts, of which one would be checked."""
    if len(request.headers.getlist("host")) > 1:
        raise plain(400, "Only one Host header is taken", name="CONTROL_BAD_REQUEST")
    return request.client.host if request.client else None


async def control_body(request: Request, limit: int = _BODY) -> bytes:
    """The body of a control request. Raises ApiError 413 for one that is longer than any has reason to be."""
    try:
        return bytes(await read_body(request.receive, limit=limit, timeout=_PATIENCE_S))
    except BodyTooLarge as error:
        text = f"The control plane takes {limit >> 20} MiB at most"
        raise plain(413, text, name="CONTROL_TOO_LARGE") from error
    except BodyTooSlow as error:
        raise plain(400, "The body did not arrive in time", name="CONTROL_SLOW", close=True) from error
