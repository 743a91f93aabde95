"""What stands before every route: which session a request is for, told once, in its scope.

``/__s/NAME/...`` is the session NAME, whatever follows; every other path is the default session, unless an API
key ends in ``__NAME``; where no session is called so, the whole word is the key, and the answer says it. The prefix
becomes the scope's ``root_path``, so the same routes serve every session, and addresses made from the request's own
path carry it. A path that only decodes to such a prefix is nobody's.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from venice_mock.control.config import no_session
from venice_mock.control.sessions import PREFIX
from venice_mock.errors import store_refusal
from venice_mock.logs import REFUSAL, REQUEST_ID
from venice_mock.state.store import StoreUnavailable
from venice_mock.tenancy import DEFAULT, NoSession, Tenants, is_name
from venice_mock.tenant import Tenant
from venice_mock.times import iso_time
from venice_mock.web.answers import json_response
from venice_mock.web.dating import NOW

API = "/api/v1"
CONTROL = "/__mock"
ALIVE = "/livez"
INSPECTOR = CONTROL + "/"
SAMPLE = CONTROL + "/sample.png"
REQUEST_HEADER = "X-Mock-Request-Id"
_REQUEST_HEADER = REQUEST_HEADER.lower().encode()
_TENANT = "venice_mock.tenant"  # keys of the ASGI scope
_HEADERS = "venice_mock.headers"
_OUTER = "venice_mock.outer"  # what the server itself is mounted under
_MARK = b"__"  # between a key and the session it chooses
_HINT = b"x-mock-hint"
_NO_SESSION = "venice_mock.no_session"  # the session that a key named and that there is not
_ACCOUNTS = CONTROL + "/accounts/"  # the one place where an encoded slash is part of a name


class HasTenants(Protocol):
    """Whoever knows the sessions."""

    @property
    def tenants(self) -> Tenants:
        """The register."""
        ...


class Admission:
    """ASGI wrapper: finds the session."""

    def __init__(self, app: ASGIApp, server: HasTenants) -> None:
        self._app = app
        self._tenants = server.tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the session in the scope, or answer 404."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            tenant = await self._admit(scope)
            error = no_session()
        except StoreUnavailable as lost:
            tenant, error = None, store_refusal(lost)
        if tenant is None:
            scope[REFUSAL] = {"refusal": error.name, "rule": error.rule, "hint": error.body["error"]}
            await json_response(error.body, error.status, error.headers)(scope, receive, send)
            return
        scope[_TENANT] = tenant
        scope[NOW] = tenant.session.last_now
        if _NO_SESSION in scope and not tenant.settings.pure:
            send = _hinting(send, scope[_NO_SESSION])
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> Tenant | None:
        """The session, with the scope set to it; None: there is none of that name. Raises StoreUnavailable."""
        path = route_path(scope)
        outer = scope["path"].removesuffix(path)
        scope[_OUTER] = outer
        if path == ALIVE:  # that the process answers shall not wait for a store
            return self._tenants.get(DEFAULT)
        if not (path + "/").startswith(PREFIX):
            by_key = await self._chosen_by_key(scope) if path.startswith(API) else None
            return by_key or await self._find(DEFAULT)
        name = path.removeprefix(PREFIX).partition("/")[0]
        if not is_name(name) or not _is_literal(scope, outer + PREFIX + name):
            return None
        tenant = await self._find(name)
        if tenant is not None:
            scope["root_path"] = outer + PREFIX + name
        return tenant

    async def _find(self, name: str) -> Tenant | None:
        """The session as it is now; while the store is lost, as it is known here. Raises StoreUnavailable."""
        try:
            return await self._tenants.find(name)
        except NoSession:
            return None
        except StoreUnavailable:  # what needs the store will find it lost itself; health does not
            if name not in self._tenants:
                raise
            return self._tenants.get(name)

    async def _chosen_by_key(self, scope: Scope) -> Tenant | None:
        """The session that the Bearer key names; the scope's key then goes without that name."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        for place, (name, value) in enumerate(headers):
            if name != b"authorization":
                continue
            scheme, _, token = value.partition(b" ")
            key, _, suffix = token.strip(b" ").rpartition(_MARK)
            session = suffix.decode("latin-1")
            if scheme.lower() != b"bearer" or not key or not is_name(session):
                return None
            tenant = await self._find(session)
            if tenant is None:
                if not self._tenants.default.session.keys.lists(token.strip(b" ").decode("latin-1")):
                    scope[_NO_SESSION] = session
                return None
            scope["headers"] = [*headers[:place], (name, scheme + b" " + key), *headers[place + 1 :]]
            return tenant
        return None


class Stamps:
    """ASGI wrapper, inside the other: adds the headers that every answer under /api carries."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and stamp what comes back."""
        if scope["type"] != "http" or not route_path(scope).startswith(API):
            await self._app(scope, receive, send)
            return
        tenant = tenant_of(scope)
        edition = tenant.contract.edition
        stamp = (edition.headers["version"].encode(), edition.stamp.encode())
        time = edition.headers["timestamp"].encode()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = iso_time(await tenant.session.told_now()).encode()
                own = request_header(scope, tenant, message)
                message = {**message, "headers": [*message["headers"], stamp, (time, now), *own]}
            await send(message)

        await self._app(scope, receive, with_headers)


def route_path(scope: Scope) -> str:
    """The path below ``root_path``, decoded: what routes are matched against."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and (path + "/").startswith(root + "/") else path


def tenant_of(scope: Scope) -> Tenant:
    """The session that was found. Raises KeyError before it was."""
    tenant: Tenant = scope[_TENANT]
    return tenant


def tenant_if_any(scope: Scope) -> Tenant | None:
    """The session, if one was found."""
    tenant: Tenant | None = scope.get(_TENANT)
    return tenant


def first_headers(scope: Scope) -> dict[str, str]:
    """An admitted request's headers by name in lower case; of several of one name the first, as Starlette has it."""
    found: dict[str, str] | None = scope.get(_HEADERS)
    if found is None:
        pairs = reversed(scope["headers"])
        found = scope[_HEADERS] = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    return found


def request_header(scope: Scope, tenant: Tenant, message: Message) -> list[tuple[bytes, bytes]]:
    """The header that tells the request's id, for an answer that lacks it; none in a session that is ``pure``."""
    known = scope.get(REQUEST_ID)
    if known is None or tenant.settings.pure or _REQUEST_HEADER in dict(message["headers"]):
        return []
    return [(_REQUEST_HEADER, known.encode())]


def _hinting(send: Send, session: str) -> Send:
    """Say in every answer that there is no such session, before what else is hinted.

    It is said from outside the journal and the log, which are not to know the end of what may be a real key.
    """
    hint = (
        f"There is no session {session}: the whole word was taken as a key of the default session.".encode()
    )

    async def hinted(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [(name, value) for name, value in message["headers"] if name.lower() != _HINT]
            more = [value for name, value in message["headers"] if name.lower() == _HINT]
            message = {**message, "headers": [*others, (_HINT, b" ".join([hint, *more]))]}
        await send(message)

    return hinted


def origin_of(request: Request) -> str:
    """``http://host:port`` as the client addressed this server, or its trusted proxy."""
    scheme, host = request.url.scheme, request.url.netloc
    if tenant_of(request.scope).settings.trust_proxy:
        scheme = request.headers.get("x-forwarded-proto", scheme).partition(",")[0].strip()
        host = request.headers.get("x-forwarded-host", host).partition(",")[0].strip()
    return f"{scheme}://{host}"


def prefix_of(request: Request) -> str:
    """What precedes ``/api`` and ``/__mock`` in this request's path: the session, if it was chosen by path."""
    prefix: str = request.scope["path"].removesuffix(route_path(request.scope))
    return prefix


def outer_of(request: Request) -> str:
    """What precedes every path of this server, in whatever session: nothing, unless it is mounted below a path."""
    outer: str = request.scope[_OUTER]
    return outer


def _is_literal(scope: Scope, prefix: str) -> bool:
    """Whether the path was sent with this prefix as it stands, and without encoded slashes where none can be."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
    path, start = raw.partition(b"?")[0], quote(prefix).encode("ascii")
    if path != start and not path.startswith(start + b"/"):
        return False
    rest = path[len(start) :]
    return b"%2f" not in rest.lower() or rest.startswith(_ACCOUNTS.encode("ascii"))
