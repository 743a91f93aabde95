"""Pages of other origins on the vendor's API and the sample picture: who may read them. The control plane is for none.

Off unless the user lists origins or says ``*``: an edit may fetch a URL of this machine, and a page of a stranger
could read what comes of it. Credentials are never allowed, an origin is told only where it is listed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from venice_mock.web.admission import SAMPLE, route_path

EVERYBODY = "*"
_METHODS = "GET, POST"
_USUAL = "authorization, content-type"
_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}")
_PREFLIGHT_S = "600"  # for so long a browser need not ask again
_EXPOSED = EVERYBODY  # of headers, where no credentials are sent
_PRIVATE = "access-control-request-private-network"


class Cors:
    """ASGI wrapper: answers preflights under /api, and says who may read the answers there."""

    def __init__(self, app: ASGIApp, origins: Sequence[str] = ()) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, unless it is a preflight that is granted."""
        if scope["type"] != "http" or not self._origins or not is_api(scope):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        allowed = allowed_origin(self._origins, asked)
        if allowed and scope["method"] == "OPTIONS" and "access-control-request-method" in asked:
            await self._granted(asked, allowed)(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                tell_origin(MutableHeaders(scope=message), allowed)
            await send(message)

        await self._app(scope, receive, told)

    def _granted(self, asked: Headers, allowed: str) -> Response:
        names = asked.get("access-control-request-headers", "")
        headers = {
            "Access-Control-Allow-Origin": allowed,
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": names if _NAMES.fullmatch(names) else _USUAL,
            "Access-Control-Max-Age": _PREFLIGHT_S,
            "Vary": "Origin, Access-Control-Request-Headers",
        }
        if asked.get(_PRIVATE) == "true" and allowed != EVERYBODY:  # from the internet only who is named
            headers["Access-Control-Allow-Private-Network"] = "true"
        return Response(status_code=204, headers=headers)


def is_api(scope: Scope) -> bool:
    """Whether a request is for the vendor's API, or for the picture that first edits of it are made with."""
    path = route_path(scope)
    return (path + "/").startswith("/api/") or path == SAMPLE


def allowed_origin(origins: frozenset[str], asked: Headers) -> str | None:
    """What ``Access-Control-Allow-Origin`` says to this request; None: nothing."""
    origin = asked.get("origin")
    if origin is None or len(asked.getlist("origin")) > 1:
        return None
    if EVERYBODY in origins:
        return EVERYBODY
    return origin if origin.lower() in origins else None


def tell_origin(headers: MutableHeaders, allowed: str | None) -> None:
    """Add what an answer says about who may read it."""
    headers.add_vary_header("Origin")
    if allowed is not None:
        headers["Access-Control-Allow-Origin"] = allowed
        headers["Access-Control-Expose-Headers"] = _EXPOSED
