"""What watches every request from outside: its id, what the log tells of it, and what Prometheus counts.

A client's ``X-Request-Id`` is taken when it is one short word; else the request gets an id of ours. The answer
carries it as ``X-Mock-Request-Id`` unless ``pure``: the vendor documents no such header, so this is the mock's own.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from venice_mock.control.counts import Counts
from venice_mock.control.metrics import UNMATCHED
from venice_mock.logs import PROBE, REFUSAL, REQUEST_ID, TOLD, is_request_id
from venice_mock.tenancy import DEFAULT
from venice_mock.web.admission import HasTenants, request_header, tenant_if_any
from venice_mock.web.faulting import AnswerLost
from venice_mock.web.recording import story_of

_HEADER = b"x-request-id"
_CHARGED = "venice_mock.charged"  # key of the ASGI scope
_FAILED = 500


class Observing:
    """ASGI wrapper, the outermost. ``edit_path``: the route whose time is measured; ``ids`` makes request ids."""

    def __init__(
        self,
        app: ASGIApp,
        server: HasTenants,
        counts: Counts,
        routes: Iterable[Route],
        edit_path: str,
        ids: Callable[[], str],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._tenants = server.tenants
        self._counts = counts
        self._metrics = counts.metrics
        self._templates: dict[Any, str] = {route.endpoint: route.path_format for route in routes}
        self._edit_path = edit_path
        self._ids = ids
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and watch what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[REQUEST_ID] = self._id_of(scope)
        status: int | None = None
        began = self._clock()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                tenant = tenant_if_any(scope) or self._tenants.default
                lacking = request_header(scope, tenant, message)
                if lacking:
                    message = {**message, "headers": [*message["headers"], *lacking]}
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if status is None and not isinstance(error, AnswerLost):
                status = _FAILED  # which Starlette sends past every wrapper
            raise
        finally:
            if PROBE not in scope:
                self._count(scope, status, self._clock() - began)
            self._tell(scope)

    def _id_of(self, scope: Scope) -> str:
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == _HEADER]
        return sent[0] if len(sent) == 1 and is_request_id(sent[0]) else self._ids()

    def _count(self, scope: Scope, status: int | None, seconds: float) -> None:
        template = self._templates.get(scope.get("endpoint"), UNMATCHED)
        self._metrics.answered(scope["method"], template, status)
        if template == self._edit_path and scope["method"] == "POST":
            self._metrics.edited(status, seconds)
        refusal: dict[str, str | None] | None = scope.get(REFUSAL)
        if refusal is not None and refusal["refusal"]:
            self._metrics.refused(refusal["refusal"], refusal.get("rule"))
        self._metrics.charged += scope.get(_CHARGED, Decimal(0))
        self._counts.changed()

    def _tell(self, scope: Scope) -> None:
        tenant, story = tenant_if_any(scope), story_of(scope)
        told: dict[str, str] = {}
        if tenant is not None and tenant.id != DEFAULT:
            told["session"] = tenant.id
        if story is not None and story.number:
            told["entry"] = story.id
        if _CHARGED in scope:
            told["charged_usd"] = f"{scope[_CHARGED]:f}"
        scope[TOLD] = told


def count_charge(scope: Scope, amount: Decimal) -> None:
    """Money was taken for this request."""
    scope[_CHARGED] = amount


def request_ids(seed: int | None) -> Callable[[], str]:
    """A source of ids for requests, repeatable with a seed."""
    source = random.SystemRandom() if seed is None else random.Random(f"requests:{seed}")
    return lambda: f"{source.getrandbits(64):016x}"
