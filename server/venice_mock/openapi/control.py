"""The OpenAPI 3.1 document of the control plane, made from what stands beside its routes. Nothing is described here
but the frame, the guard and the names in paths.
"""

from __future__ import annotations

import http
import re
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from venice_mock import __version__
from venice_mock.control.guard import TOKEN_HEADER
from venice_mock.openapi.parts import Node, json_content, ref

_PREFIX = "/__mock"
_PARAMETERS = {
    "account": "An API key, percent-encoded, or a wallet's address.",
    "session": "A session's name.",
    "id": "A request's id, such as req-000017.",
    "rule": "A rule's id.",
    "file": "The name of a file.",
}
_TOKEN = "controlToken"
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_GUARD = {403: "The guard keeps the request out.", 415: "The body is no application/json."}


class Described(Protocol):
    """One method of a route, as ``web/operations.py`` has it."""

    method: str
    summary: str
    answer: Node | None
    body: Any
    query: Any
    errors: tuple[int, ...]
    status: int
    media_type: str
    below: str
    text: str


class DescribedRoute(Protocol):
    """A route with its description."""

    path_format: str
    operations: tuple[Any, ...]
    guarded: bool


def describe_control(routes: Iterable[DescribedRoute], server: str) -> dict[str, Any]:
    """The document. ``server``: scheme, host and what precedes the paths of the session.

    Raises KeyError for a path with a name that is not described here.
    """
    paths: Node = {}
    schemas: Node = {"Error": _error()}
    for route in routes:
        for operation in route.operations:
            path = route.path_format + operation.below
            node = _operation(route, operation, schemas)
            paths.setdefault(path, _path(path))[operation.method.lower()] = node
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "venice-mock: the control plane",
            "version": __version__,
            "description": "What a test's author does to the mock. Each session has all of these paths below "
            "`/__s/NAME` too. Only clients of this machine are let in, unless the server has a control token; "
            "pages of other sites never are.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server, "description": "This mock"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                _TOKEN: {
                    "type": "apiKey",
                    "in": "header",
                    "name": TOKEN_HEADER,
                    "description": "Wanted by a server that was started with --control-token.",
                }
            },
        },
    }


def _path(path: str) -> Node:
    names = re.findall(r"\{(\w+)\}", path)
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARAMETERS[name],
            "schema": {"type": "string"},
        }
        for name in names
    ]
    return {"parameters": parameters} if parameters else {}


def _operation(route: DescribedRoute, operation: Described, schemas: Node) -> Node:
    path = route.path_format + operation.below
    node: Node = {"operationId": _name_of(operation.method, path), "summary": operation.summary}
    if operation.text:
        node["description"] = operation.text
    node["security"] = [{}, {_TOKEN: []}] if route.guarded else []
    if operation.query:
        node["parameters"] = [_query(name, schema) for name, schema in operation.query.items()]
    if operation.body is not None:
        node["requestBody"] = {"required": True, "content": json_content(_schema(operation.body, schemas))}
    content = {operation.media_type: {}} if operation.answer is None else json_content(operation.answer)
    responses = {str(operation.status): {"description": _phrase(operation.status), "content": content}}
    refusals = set(operation.errors)
    if route.guarded:
        refusals.add(403)
        if operation.method in _CHANGING:
            refusals |= {413, 415} if operation.body is not None else {415}
    for status in sorted(refusals):
        responses[str(status)] = {
            "description": _GUARD.get(status, _phrase(status)),
            "content": json_content(ref("Error")),
        }
    if (
        operation.answer is not None
        and 409 in operation.errors
        and "ok" in operation.answer.get("properties", {})
    ):
        responses["409"]["content"] = content  # no refusal: the answer is no
    node["responses"] = responses
    return node


def _query(name: str, schema: Node) -> Node:
    rest = {key: value for key, value in schema.items() if key != "description"}
    return {"name": name, "in": "query", "description": schema["description"], "schema": rest}


def _schema(body: Any, schemas: Node) -> Node:
    """The schema of what reads a body, with its parts among the components."""
    (found,), parts = msgspec.json.schema_components([body], ref_template="#/components/schemas/{name}")
    schemas.update(parts)
    return found


def _name_of(method: str, path: str) -> str:
    words = re.findall("[A-Za-z0-9]+", path.removeprefix(_PREFIX)) or [
        "inspector" if path.endswith("/") else "mock"
    ]
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _phrase(status: int) -> str:
    return http.HTTPStatus(status).phrase


def _error() -> Node:
    return {
        "type": "object",
        "description": "A refusal, in one sentence.",
        "required": ["error"],
        "properties": {"error": {"type": "string"}},
        "additionalProperties": False,
    }
