"""The routes of the control plane about a session and its accounts, each behind the guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from venice_mock.control import told
from venice_mock.control.about import about, contract_rules
from venice_mock.control.accounts import (
    AccountSetting,
    change_account,
    holder_of,
    list_accounts,
    read_account,
    read_ledger,
)
from venice_mock.control.clock import ClockAdvance, ClockSetting, advance_clock, read_clock, set_clock
from venice_mock.control.config import change_config, show_config
from venice_mock.control.guard import Guard
from venice_mock.control.reset import ResetOrder, reset_session
from venice_mock.control.sessions import SessionOrder, end_session, list_sessions, open_session, read_session
from venice_mock.control.shapes import ANY_OBJECT, Node, one_of, whole
from venice_mock.control.state import LONGEST as LONGEST_STATE
from venice_mock.control.state import StateFile, export_state, import_state
from venice_mock.tenancy import Tenants
from venice_mock.web.admission import API, CONTROL, INSPECTOR, origin_of, outer_of, prefix_of, tenant_of
from venice_mock.web.answers import json_response
from venice_mock.web.guarded import control_body, guarded_route
from venice_mock.web.operations import Operation, delete, get, patch, post, put

_ACCOUNTS = CONTROL + "/accounts/"
_KIND: Node = {
    "kind": {**one_of("key", "wallet"), "description": "For a key that looks like an address: key."}
}
_PAGES: Node = {
    "limit": {**whole(1, 1000, 100), "description": "Entries of a page."},
    "offset": {**whole(0, 10**9, 0), "description": "Entries to leave out."},
}
_ACCOUNT: Node = {"query": _KIND, "errors": (400, 404, 409)}


@dataclass(frozen=True, slots=True)
class ControlRoutes:
    """The control plane of all sessions of a process. ``uptime``: seconds since its start, by the wall."""

    tenants: Tenants
    guard: Guard
    uptime: Callable[[], float]

    def routes(self) -> list[Route]:
        """Every route, guarded."""
        return [
            self._route("", self._here, get("What runs here", told.ABOUT)),
            self._route("/contract.json", self._rules, get("The rules of the contract", told.CONTRACT)),
            self._route(
                "/accounts",
                self._accounts,
                get("The accounts that were opened, by name", told.ACCOUNTS, query=_PAGES, errors=(400,)),
            ),
            self._route(
                "/accounts/{account:path}",
                self._account,
                get(
                    "An account; one that was not used yet is opened",
                    told.ACCOUNT,
                    query=_KIND,
                    errors=(400, 404),
                ),
                put(
                    "Set an account; what is not named stays",
                    told.ACCOUNT,
                    AccountSetting,
                    **_ACCOUNT,
                ),
                patch("The same", told.ACCOUNT, AccountSetting, **_ACCOUNT),
                get(
                    "The account's ledger",
                    told.LEDGER,
                    below="/ledger",
                    query={**_KIND, **_PAGES},
                    errors=(400, 404),
                ),
            ),
            self._route(
                "/clock",
                self._clock,
                get("The session's clock", told.CLOCK),
                put("Freeze the clock, let it run, or shift it", told.CLOCK, ClockSetting),
            ),
            self._route(
                "/clock/advance", self._clock_advance, post("Move the clock on", told.CLOCK, ClockAdvance)
            ),
            self._route(
                "/config",
                self._config,
                get("The effective config", told.CONFIG),
                patch(
                    "Change the config, all that is named or nothing",
                    told.CONFIG,
                    dict[str, Any],
                    errors=(400, 404),
                ),
            ),
            self._route(
                "/reset", self._reset, post("Reset the session, or parts of it", told.RESET, ResetOrder)
            ),
            self._route(
                "/state",
                self._state,
                get("Export the session's state, without secrets", told.STATE),
                put(
                    "Import a state: what is given replaces what was there, all of it or nothing",
                    told.IMPORTED,
                    StateFile,
                    errors=(400, 404),
                    text="Accounts go by their names: whoever brings the key finds the account.",
                ),
            ),
            self._route(
                "/sessions",
                self._sessions,
                get("All sessions", told.SESSIONS),
                post("Open a session", told.SESSION, SessionOrder, status=201, errors=(400, 409)),
            ),
            self._route(
                "/sessions/{session}",
                self._session,
                get("A session", told.SESSION, errors=(404,)),
                delete("End a session", told.ENDED, errors=(404, 409)),
            ),
            self._route("/openapi.json", self._document, get("This document", ANY_OBJECT)),
        ]

    def _route(self, path: str, answer: Callable[[Request], Awaitable[Any]], *operations: Operation) -> Route:
        return guarded_route(self.guard, path, answer, *operations)

    async def _here(self, request: Request) -> Any:
        prefix, paths = prefix_of(request), request.app.state.paths
        links = {name: prefix + path for name, path in paths.items()}
        return about(tenant_of(request.scope), self.uptime(), links)

    async def _rules(self, request: Request) -> Any:
        return contract_rules(tenant_of(request.scope).contract)

    async def _clock(self, request: Request) -> Any:
        session = tenant_of(request.scope).session
        if request.method == "PUT":
            return await set_clock(session, await control_body(request))
        return await read_clock(session)

    async def _clock_advance(self, request: Request) -> Any:
        return await advance_clock(tenant_of(request.scope).session, await control_body(request))

    async def _accounts(self, request: Request) -> Any:
        return await list_accounts(tenant_of(request.scope).session, request.query_params)

    async def _account(self, request: Request) -> Any:
        tenant = tenant_of(request.scope)
        session = tenant.session
        name, _, rest = account_path(request).partition("/")
        holder = holder_of(session, tenant.world, account_name(name), request.query_params.get("kind"))
        if rest not in ("", "ledger") or (rest and request.method not in ("GET", "HEAD")):
            raise HTTPException(405 if rest == "ledger" else 404)
        if rest:
            return await read_ledger(session, holder, request.query_params)
        if request.method in ("PUT", "PATCH"):
            return await change_account(session, holder, await control_body(request))
        return await read_account(session, holder)

    async def _config(self, request: Request) -> Any:
        if request.method == "PATCH":
            body = await control_body(request)
            return await change_config(self.tenants, tenant_of(request.scope).id, body)
        return show_config(tenant_of(request.scope))

    async def _reset(self, request: Request) -> Any:
        body = await control_body(request)
        return await reset_session(self.tenants, tenant_of(request.scope), body)

    async def _state(self, request: Request) -> Any:
        tenant = tenant_of(request.scope)
        if request.method == "PUT":
            body = await control_body(request, LONGEST_STATE)
            return await import_state(self.tenants, tenant, body)
        return await export_state(tenant)

    async def _document(self, request: Request) -> Any:
        from venice_mock.openapi.control import describe_control  # read rarely: not part of the start

        return describe_control(request.app.state.described, origin_of(request) + prefix_of(request))

    async def _sessions(self, request: Request) -> Any:
        if request.method == "POST":
            body = await control_body(request)
            return json_response(await open_session(self.tenants, body, _base_of(request)), 201)
        return await list_sessions(self.tenants, _base_of(request))

    async def _session(self, request: Request) -> Any:
        name: str = request.path_params["session"]
        if request.method == "DELETE":
            return await end_session(self.tenants, name)
        return await read_session(self.tenants, name, _base_of(request))


def links_of(contract_path: str, routes: Sequence[Route]) -> dict[str, str]:
    """Where to go from /__mock, without the session's prefix: the API, its document, and every control route."""
    links = {"api": contract_path.removesuffix("/image/edit"), "openapi": f"{API}/openapi.json"}
    for route in routes:
        if route.path == INSPECTOR:
            links["inspector"] = INSPECTOR
        elif route.path.startswith(CONTROL):
            name = route.path.removeprefix(CONTROL).partition("/{")[0].strip("/")
            links.setdefault(name or "self", route.path_format)  # a collection stands before its members
    return links


def account_path(request: Request) -> str:
    """What follows ``/accounts/``, still percent-encoded: a key may hold a slash."""
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode("ascii")
    return raw.decode("latin-1").partition("?")[0].partition(_ACCOUNTS)[2]


def account_name(segment: str) -> str:
    """A key as a header would bring it: percent-decoded bytes, read as HTTP reads them."""
    return unquote_to_bytes(segment).decode("latin-1")


def _base_of(request: Request) -> str:
    return origin_of(request) + outer_of(request)
