"""The wiring: every route and every wrapper in one visible list, and the only place where errors become HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from venice_mock.accounts.billing import billing_balance
from venice_mock.catalogue import list_compatibility, list_models, list_traits
from venice_mock.contract import Contract, load_contract
from venice_mock.control.about import about, contract_rules
from venice_mock.control.accounts import change_account, holder_of, read_account, read_ledger
from venice_mock.control.clock import advance_clock, read_clock, set_clock
from venice_mock.control.guard import Guard, is_loopback
from venice_mock.control.reset import reset_session
from venice_mock.control.steering import HEADER, PREFER, steering_of
from venice_mock.edit.body import BodyTooLarge, BodyTooSlow, ClientLeft, read_body
from venice_mock.edit.endpoint import EditCall, EditService
from venice_mock.edit.workshop import Workshop
from venice_mock.errors import ApiError, plain
from venice_mock.logs import REFUSAL
from venice_mock.settings import Settings
from venice_mock.state.session import Session, open_session
from venice_mock.times import iso_time
from venice_mock.wallet.desk import WalletDesk
from venice_mock.wallet.statements import StatementService, limit_requests
from venice_mock.wallet.topup import TopUpService
from venice_mock.wallet.world import make_world

_CLIENT_LEFT = 499  # never sent: nobody is there. The access log shows it, as nginx does.
_API = "/api/v1"
_CONTROL = "/__mock"
_CONTROL_BODY = 1 << 20  # ours
_CONTROL_PATIENCE_S = 10.0  # ours


def create_app(settings: Settings, *, wall_clock: Callable[[], float] = time.time) -> Starlette:
    """The ASGI application. Raises ContractError or ValueError for settings that cannot be served."""
    contract = load_contract(settings.edition, settings.behavior)
    if settings.default_model is not None and settings.default_model not in {
        model.id for model in contract.inpaint_models
    }:
        raise ValueError(f"--default-model {settings.default_model} is no edit model of {settings.edition}.")
    if settings.fetch != Settings().fetch:  # a wrong entry is told now, not at the first URL
        from venice_mock.edit.fetching import FetchPolicy

        FetchPolicy(allow=settings.fetch, max_bytes_exclusive=1)
    session = open_session(contract, settings, wall_clock=wall_clock)
    server = Server(contract, session, Workshop(settings.max_inflight_pixels), settings)
    world = make_world(
        contract,
        file=settings.wallets,
        pay_to_base=settings.pay_to_base,
        pay_to_solana=settings.pay_to_solana,
        fee_payer=settings.fee_payer,
    )
    desk = WalletDesk(session, world)
    edit = EditService(session, server.workshop, settings, desk)
    statements = StatementService(session, desk, limited=settings.limits == "real")
    top_ups = TopUpService(session, world)
    guard = Guard(
        settings.control_hosts,
        settings.control_token,
        exposed=settings.trust_proxy or not is_loopback(settings.host.strip("[]")),
    )
    x402 = contract.edition.x402
    started_at = wall_clock()

    def origin_of(request: Request) -> str:
        """``http://host:port`` as the client addressed this server, or its trusted proxy."""
        scheme, host = request.url.scheme, request.url.netloc
        if settings.trust_proxy:
            scheme = request.headers.get("x-forwarded-proto", scheme).partition(",")[0].strip()
            host = request.headers.get("x-forwarded-host", host).partition(",")[0].strip()
        return f"{scheme}://{host}"

    async def image_edit(request: Request) -> Response:
        said = request.headers
        steering = steering_of(contract, said.getlist(HEADER), said.getlist(PREFER))
        call = EditCall(said, origin_of(request), request.url.path, request.receive, steering)
        answer = await edit.edit(call)
        headers = answer.headers
        if answer.cause is not None and not settings.pure:
            headers = {**headers, "X-Mock-Cause": header_text(answer.cause)}
        return Response(answer.image, media_type=answer.media_type, headers=headers)

    async def models(request: Request) -> Response:
        return json_response(list_models(contract, request.query_params.get("type")))

    async def traits(request: Request) -> Response:
        return json_response(list_traits(contract, request.query_params.get("type")))

    async def compatibility(request: Request) -> Response:
        return json_response(list_compatibility(contract, request.query_params.get("type")))

    async def balance(request: Request) -> Response:
        return json_response(await billing_balance(session, request.headers))

    async def top_up(request: Request) -> Response:
        who = request.client.host if request.client else "unknown"
        limit = x402.top_up.requests_per_minute
        limited = settings.limits == "real"
        await limit_requests(session, f"top-up:{who}", limit, "X402-TOP-025", enforced=limited)
        answer = await top_ups.top_up(request.headers)
        return json_response(answer.body, headers=answer.headers)

    async def wallet_balance(request: Request) -> Response:
        wallet = request.path_params["wallet"]
        return json_response(await statements.balance(wallet, request.headers, origin_of(request)))

    async def wallet_transactions(request: Request) -> Response:
        wallet, query = request.path_params["wallet"], request.query_params
        return json_response(
            await statements.transactions(wallet, query, request.headers, origin_of(request))
        )

    async def clock(request: Request) -> Any:
        if request.method == "PUT":
            return await set_clock(session, await control_body(request))
        return await read_clock(session)

    async def clock_advance(request: Request) -> Any:
        return await advance_clock(session, await control_body(request))

    async def account(request: Request) -> Any:
        name, _, rest = account_path(request).partition("/")
        holder = holder_of(session, world, account_name(name), request.query_params.get("kind"))
        if rest not in ("", "ledger") or (rest and request.method not in ("GET", "HEAD")):
            raise HTTPException(405 if rest == "ledger" else 404)
        if rest:
            return await read_ledger(session, holder, request.query_params)
        if request.method in ("PUT", "PATCH"):
            whole = request.method == "PUT"
            return await change_account(session, holder, await control_body(request), whole=whole)
        return await read_account(session, holder)

    async def reset(request: Request) -> Any:
        return await reset_session(session, await control_body(request))

    async def here(_: Request) -> Any:
        return about(contract, settings, wall_clock() - started_at, links)

    async def rules(_: Request) -> Any:
        return contract_rules(contract)

    def control(path: str, answer: Callable[[Request], Awaitable[Any]], *methods: str) -> Route:
        """A route of the control plane: nobody gets to ``answer`` but past the guard."""

        async def guarded(request: Request) -> Response:
            if len(request.headers.getlist("host")) > 1:
                raise plain(400, "Only one Host header is taken", name="CONTROL_BAD_REQUEST")
            guard.check(request.method, request.headers)
            return json_response(await answer(request))

        return Route(_CONTROL + path, guarded, methods=methods)

    async def openapi(request: Request) -> Response:
        from venice_mock.openapi import describe  # written once, read rarely: not part of the start

        return json_response(describe(contract, origin_of(request)))

    drawn: list[bytes] = []  # the sample, once somebody has asked for it

    async def sample(_: Request) -> Response:
        from venice_mock.sample import sample_png

        if not drawn:
            drawn.append(await asyncio.to_thread(sample_png))  # not behind edits that wait for it
        return Response(drawn[0], media_type="image/png")

    async def alive(_: Request) -> Response:
        return json_response({"status": "ok"})

    routes = [
        Route(contract.edition.path, image_edit, methods=["POST"]),
        Route(f"{_API}/models", models),
        Route(f"{_API}/models/traits", traits),
        Route(f"{_API}/models/compatibility_mapping", compatibility),
        Route(f"{_API}/billing/balance", balance),
        Route(x402.top_up.path, top_up, methods=["POST"]),
        Route(x402.statements.balance_path + "/{wallet}", wallet_balance),
        Route(x402.statements.transactions_path + "/{wallet}", wallet_transactions),
        Route(f"{_API}/openapi.json", openapi),
        Route(_CONTROL + "/sample.png", sample),
        Route("/livez", alive),
        Route("/readyz", alive),
    ]
    if settings.control:
        routes += [
            control("", here, "GET"),
            control("/contract.json", rules, "GET"),
            control("/accounts/{account:path}", account, "GET", "PUT", "PATCH"),
            control("/clock", clock, "GET", "PUT"),
            control("/clock/advance", clock_advance, "POST"),
            control("/reset", reset, "POST"),
        ]
    links = {
        "api": contract.edition.path.removesuffix("/image/edit"),
        "openapi": f"{_API}/openapi.json",
        **{
            route.path.removeprefix(_CONTROL).partition("/{")[0].strip("/") or "self": route.path_format
            for route in routes
            if route.path.startswith(_CONTROL)
        },
    }
    handlers: Mapping[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        ApiError: server.refusal,
        HTTPException: server.no_route,
        ClientLeft: server.nobody,
        Exception: server.defect,
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=server.lifespan)
    app.add_middleware(VendorHeaders, server=server)
    app.router.redirect_slashes = False
    return app


@dataclass(frozen=True, slots=True)
class Server:
    """What the routes share: the contract, one session, the workshop, the settings; and how errors are told."""

    contract: Contract
    session: Session
    workshop: Workshop
    settings: Settings

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Close the workshop when the server stops."""
        yield
        self.workshop.close()

    async def refusal(self, request: Request, error: ApiError) -> Response:
        """An ApiError as the vendor sends it, with the mock's own headers unless ``--pure``."""
        headers = dict(error.headers)
        if not self.settings.pure:
            told = {"X-Mock-Rule": error.rule, "X-Mock-Cause": error.cause, "X-Mock-Hint": error.hint}
            headers |= {name: header_text(value) for name, value in told.items() if value}
        if error.close:
            headers["Connection"] = "close"
        hint = header_text(error.hint or str(error.body.get("error")))
        request.scope[REFUSAL] = {"refusal": error.name, "hint": hint}
        return json_response(error.body, error.status, headers)

    async def no_route(self, _: Request, error: HTTPException) -> Response:
        """404 and 405 as JSON."""
        words = self.contract.edition.messages
        text = words.method_not_allowed if error.status_code == 405 else words.not_found
        return json_response(
            plain(error.status_code, text, name="ROUTE").body, error.status_code, error.headers
        )

    async def nobody(self, _: Request, __: ClientLeft) -> Response:
        """The client left: end quietly."""
        return Response(status_code=_CLIENT_LEFT)

    async def defect(self, _: Request, __: Exception) -> Response:
        """Anything else is a bug of ours: the vendor's 500, and Starlette lets the trace reach the log."""
        spec, names = self.contract.error("UNKNOWN_ERROR"), self.contract.edition.headers
        # Starlette sends this answer past every wrapper, so it brings the headers of VendorHeaders itself.
        told = {
            names["version"]: self.contract.edition.stamp,
            names["timestamp"]: iso_time(await self.session.now()),
        }
        return json_response({"error": spec.text}, spec.status, told)


class VendorHeaders:
    """Adds the headers that every answer under /api carries: the contract's stamp and the time."""

    def __init__(self, app: Any, server: Server) -> None:
        self._app = app
        self._session = server.session
        names = server.contract.edition.headers
        self._stamp = (names["version"].encode(), server.contract.edition.stamp.encode())
        self._time = names["timestamp"].encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on, and add to the start of the answer."""
        if scope["type"] != "http" or not scope["path"].startswith(_API):
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                now = iso_time(await self._session.now()).encode()
                message = {**message, "headers": [*message["headers"], self._stamp, (self._time, now)]}
            await send(message)

        await self._app(scope, receive, with_headers)


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, UTF-8."""
    return Response(
        msgspec.json.encode(body),
        status,
        dict(headers) if headers else None,
        media_type="application/json",
    )


def account_path(request: Request) -> str:
    """What follows ``/accounts/``, still percent-encoded: a key may hold a slash."""
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode("ascii")
    return raw.decode("latin-1").partition("?")[0].partition("/accounts/")[2]


def account_name(segment: str) -> str:
    """A key as a header would bring it: percent-decoded bytes, read as HTTP reads them."""
    return unquote_to_bytes(segment).decode("latin-1")


async def control_body(request: Request) -> bytes:
    """The body of a control request. Raises ApiError 413 for one that is longer than any has reason to be."""
    try:
        return await read_body(request.receive, limit=_CONTROL_BODY, timeout=_CONTROL_PATIENCE_S)
    except BodyTooLarge as error:
        raise plain(413, "The control plane takes 1 MiB at most", name="CONTROL_TOO_LARGE") from error
    except BodyTooSlow as error:
        raise plain(400, "The body did not arrive in time", name="CONTROL_SLOW", close=True) from error


def header_text(text: str) -> str:
    """Text fit for a header: one line of printable ASCII, at most 500 characters."""
    short = text[:500]
    if short.isascii() and short.isprintable():
        return short
    return "".join(c if " " <= c <= "~" else "?" for c in short)
