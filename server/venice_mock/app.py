"""The wiring: the routes and the wrapper of one application, and the only place where errors become HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from venice_mock.contract import Contract
from venice_mock.control.counts import Counts
from venice_mock.control.guard import Guard, is_loopback
from venice_mock.edit.body import ClientLeft
from venice_mock.edit.workshop import Workshop
from venice_mock.errors import ApiError, plain, store_refusal
from venice_mock.logs import REFUSAL, REQUEST_ID
from venice_mock.settings import Settings
from venice_mock.settings_types import IN_PROCESS
from venice_mock.state.session import Session
from venice_mock.state.store import StoreUnavailable
from venice_mock.tenancy import Sharing, Tenants
from venice_mock.tenant import Plan
from venice_mock.times import iso_time
from venice_mock.web.admission import REQUEST_HEADER, Admission, Stamps, tenant_of
from venice_mock.web.answers import header_text, json_response
from venice_mock.web.api import api_routes
from venice_mock.web.control import ControlRoutes, links_of
from venice_mock.web.cors import Cors, allowed_origin, is_api, tell_origin
from venice_mock.web.events import Streams
from venice_mock.web.faulting import AnswerLost, Faulting
from venice_mock.web.inspector import InspectorRoutes
from venice_mock.web.journal import JournalRoutes
from venice_mock.web.observing import Observing, request_ids
from venice_mock.web.open import OpenRoutes
from venice_mock.web.operations import DescribedRoute
from venice_mock.web.recording import CLIENT_LEFT, Recording, story_of
from venice_mock.web.rules import RuleRoutes

_CLIENT_LEFT = 499  # never sent: nobody is there. The access log shows it, as nginx does.


def create_app(settings: Settings, *, wall_clock: Callable[[], float] = time.time) -> Starlette:
    """The ASGI application. Raises ContractError or ValueError for settings that cannot be served."""
    workshop = Workshop(
        settings.max_inflight_pixels,
        max_inflight_bytes=settings.max_inflight_bytes,
        cache_bytes=settings.cache_bytes,
    )
    sharing = _sharing(settings)
    tenants = Tenants(settings, workshop, wall_clock=wall_clock, sharing=sharing)
    started_at = wall_clock()
    counts = Counts(tenants, workshop, None if sharing is None else sharing.sessions, started_at=started_at)
    server = Server(tenants, workshop, counts)
    guard = Guard(
        settings.control_hosts,
        settings.control_token,
        exposed=settings.trust_proxy or not is_loopback(settings.host.strip("[]")),
    )
    routes = [
        *api_routes(server.contract),
        *OpenRoutes(server.tenants, workshop, counts, guard).routes(),
    ]
    streams = Streams(server.tenants)
    if settings.control:
        inspector = InspectorRoutes(guard)
        control = ControlRoutes(server.tenants, guard, lambda: wall_clock() - started_at)
        routes += [*inspector.in_browsers(control.routes()), *inspector.routes(), inspector.from_the_root()]
        routes += JournalRoutes(guard, streams).routes()
        routes += RuleRoutes(guard).routes()
    handlers: Mapping[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        ApiError: server.refusal,
        StoreUnavailable: server.no_store,
        HTTPException: server.no_route,
        ClientLeft: server.nobody,
        Exception: server.defect,
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=server.lifespan)
    app.add_middleware(Stamps)  # the last one added is the outermost
    app.add_middleware(Faulting)
    app.add_middleware(Recording)
    if settings.cors:
        app.add_middleware(Cors, origins=settings.cors)
    app.add_middleware(Admission, server=server)
    app.add_middleware(
        Observing,
        server=server,
        counts=counts,
        routes=routes,
        edit_path=server.contract.edition.path,
        ids=request_ids(None if tenants.is_shared else settings.seed),  # or two processes would draw the same
    )
    app.router.redirect_slashes = False
    app.state.streams = streams
    app.state.fault = tenants.fault
    app.state.described = [route for route in routes if isinstance(route, DescribedRoute)]
    app.state.paths = links_of(server.contract.edition.path, routes)
    return app


def _sharing(settings: Settings) -> Sharing | None:
    """What ties this process to others, if the store is a shared one."""
    if settings.store == IN_PROCESS:
        return None
    from venice_mock.control.config import LONGEST_IMPORTED, plan_of, storable
    from venice_mock.state.redis_link import RedisLink
    from venice_mock.state.redis_sessions import RedisSessions

    def planned(tenants: Tenants, said: Mapping[str, Any]) -> Plan:
        return plan_of(tenants, {}, said, longest=LONGEST_IMPORTED)

    return Sharing(RedisSessions(RedisLink(settings.store)), planned, storable)


class _Silence(Response):
    """Sends nothing at all."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the routes share: the sessions, the workshop, the counts; and how errors are told."""

    tenants: Tenants
    workshop: Workshop
    counts: Counts

    @property
    def contract(self) -> Contract:
        """That of the default session."""
        return self.tenants.default.contract

    @property
    def session(self) -> Session:
        """The default session's state."""
        return self.tenants.default.session

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Close the workshop when the server stops, and the way to a shared store."""
        async with self.counts.kept_fresh():
            yield
            self.workshop.close()
        await self.tenants.close()

    async def refusal(self, request: Request, error: ApiError) -> Response:
        """An ApiError as the vendor sends it, with the mock's own headers unless ``pure``."""
        headers = dict(error.headers)
        if not tenant_of(request.scope).settings.pure:
            told = {"X-Mock-Rule": error.rule, "X-Mock-Cause": error.cause, "X-Mock-Hint": error.hint}
            headers |= {name: header_text(value) for name, value in told.items() if value}
        if error.close:
            headers["Connection"] = "close"
        hint = header_text(error.hint or str(error.body.get("error")))
        request.scope[REFUSAL] = {"refusal": error.name, "rule": error.rule, "hint": hint}
        story = story_of(request.scope)
        if story is not None:
            story.refused(error.name, error.rule, error.hint, error.cause)
        return json_response(error.body, error.status, headers)

    async def no_store(self, request: Request, error: StoreUnavailable) -> Response:
        """The shared store is lost: 503, and whoever comes again later may be served."""
        return await self.refusal(request, store_refusal(error))

    async def no_route(self, request: Request, error: HTTPException) -> Response:
        """404 and 405 as JSON."""
        words = tenant_of(request.scope).contract.edition.messages
        text = words.method_not_allowed if error.status_code == 405 else words.not_found
        return json_response(
            plain(error.status_code, text, name="ROUTE").body, error.status_code, error.headers
        )

    async def nobody(self, request: Request, _: ClientLeft) -> Response:
        """The client left: end quietly."""
        story = story_of(request.scope)
        if story is not None:
            story.error = CLIENT_LEFT
        return Response(status_code=_CLIENT_LEFT)

    async def defect(self, request: Request, error: Exception) -> Response:
        """Anything else is a bug of ours: the vendor's 500, and Starlette lets the trace reach the log."""
        if isinstance(error, AnswerLost):  # which was ordered
            return _Silence()
        tenant = tenant_of(request.scope)
        edition = tenant.contract.edition
        spec, names = tenant.contract.error("UNKNOWN_ERROR"), edition.headers
        # Starlette sends this answer past every wrapper, so it brings the headers of each itself.
        told = {
            names["version"]: edition.stamp,
            names["timestamp"]: iso_time(await tenant.session.told_now()),
        }
        if not tenant.settings.pure:
            told[REQUEST_HEADER] = request.scope[REQUEST_ID]
        answer = json_response({"error": spec.text}, spec.status, told)
        if tenant.settings.cors and is_api(request.scope):
            tell_origin(answer.headers, allowed_origin(frozenset(tenant.settings.cors), request.headers))
        return answer
