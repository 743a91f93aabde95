"""What is said of a route beside the route: one ``Operation`` for each method, read by ``/__mock/openapi.json``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from venice_mock.control.shapes import Node

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a route, in words.

    ``answer``: JSON Schema of a good answer's body, None for one that is no JSON. ``body``: the type that reads
    the request's body. ``query``: parameters with their schemas, each with a description. ``errors``: statuses
    of refusals beside those of the guard. ``below``: what follows the route's path, where it takes more than one.
    """

    method: str
    summary: str
    answer: Node | None = None
    body: Any = None
    query: Mapping[str, Node] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    status: int = 200
    media_type: str = JSON
    below: str = ""
    text: str = ""


def get(summary: str, answer: Node | None = None, **more: Any) -> Operation:
    """A GET; ``more`` are the further members of an Operation."""
    return Operation("GET", summary, answer, **more)


def put(summary: str, answer: Node, body: Any, **more: Any) -> Operation:
    """A PUT with a body."""
    return Operation("PUT", summary, answer, body, **{"errors": (400,), **more})


def patch(summary: str, answer: Node, body: Any, **more: Any) -> Operation:
    """A PATCH with a body."""
    return Operation("PATCH", summary, answer, body, **{"errors": (400,), **more})


def post(summary: str, answer: Node, body: Any = None, **more: Any) -> Operation:
    """A POST, mostly with a body."""
    return Operation("POST", summary, answer, body, **{"errors": (400,), **more})


def delete(summary: str, answer: Node, **more: Any) -> Operation:
    """A DELETE without a body."""
    return Operation("DELETE", summary, answer, **more)


class DescribedRoute(Route):
    """A route with its description. ``guarded``: it stands behind the control plane's guard."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response]],
        operations: Sequence[Operation],
        *,
        methods: Sequence[str] | None = None,
        guarded: bool = False,
    ) -> None:
        taken = methods or list(dict.fromkeys(operation.method for operation in operations))
        super().__init__(path, endpoint, methods=taken)
        self.operations = tuple(operations)
        self.guarded = guarded
