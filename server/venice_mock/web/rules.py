"""The routes of a session's rules, under /__mock/rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from venice_mock.control import told
from venice_mock.control.guard import Guard
from venice_mock.control.rules import RuleOrder, delete_rule, delete_rules, list_rules, make_rule, read_rule
from venice_mock.web.admission import tenant_of
from venice_mock.web.answers import json_response
from venice_mock.web.guarded import control_body, guarded_route
from venice_mock.web.operations import delete, get, post


@dataclass(frozen=True, slots=True)
class RuleRoutes:
    """Making, reading and taking away."""

    guard: Guard

    def routes(self) -> list[Route]:
        """Each behind the guard."""
        return [
            guarded_route(
                self.guard,
                "/rules",
                self._rules,
                get("Every rule", told.RULES),
                post("Make a rule", told.RULE, RuleOrder, status=201, errors=(400, 409)),
                delete("Take all rules away", told.DELETED),
            ),
            guarded_route(
                self.guard,
                "/rules/{rule}",
                self._rule,
                get("A rule", told.RULE, errors=(404,)),
                delete("Take a rule away", told.DELETED, errors=(404,)),
            ),
        ]

    async def _rules(self, request: Request) -> Any:
        tenant = tenant_of(request.scope)
        if request.method == "POST":
            return json_response(await make_rule(tenant, await control_body(request)), 201)
        return await (delete_rules(tenant) if request.method == "DELETE" else list_rules(tenant))

    async def _rule(self, request: Request) -> Any:
        tenant, name = tenant_of(request.scope), request.path_params["rule"]
        return await (delete_rule(tenant, name) if request.method == "DELETE" else read_rule(tenant, name))
