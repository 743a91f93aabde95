"""The control routes about what happened: the journal, verification, the ledger's verdict, events and advice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from venice_mock.control import told
from venice_mock.control.guard import Guard
from venice_mock.control.journal import (
    File,
    clear_requests,
    entry_of,
    input_of,
    list_requests,
    output_of,
    pixels_of,
    read_request,
    story_named,
    thumbnail_of,
)
from venice_mock.control.lint import lint
from venice_mock.control.shapes import NUMBER, TEXT, Node, one_of, whole
from venice_mock.control.verdict import LONGEST_WINDOW_S, WINDOW_S, verdict, window_of
from venice_mock.control.verify import VerifyQuestion, verify
from venice_mock.tenant import Tenant
from venice_mock.web.admission import origin_of, outer_of, tenant_of
from venice_mock.web.answers import json_response
from venice_mock.web.events import Streams
from venice_mock.web.guarded import control_body, guarded_route
from venice_mock.web.operations import delete, get, post

# What a client sent is shown and never run, whatever a browser makes of it.
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
}


_FILTERS: Node = {
    "status": {**TEXT, "description": "404, or 4xx."},
    "model": {**TEXT, "description": "The model's id."},
    "rule": {**TEXT, "description": "The id of the rule that was broken."},
    "request_id": {**TEXT, "description": "The client's X-Request-Id, or the X-Mock-Request-Id it was told."},
    "since": {**TEXT, "description": "The id of a request, of which only later ones are told."},
    "limit": {**whole(1, 1000, 50), "description": "At most so many."},
}
_OF: Node = {
    "of": {**one_of("input", "output"), "description": "By default the answer's picture, if it is one."}
}
_WINDOW: Node = {
    "window_s": {
        **NUMBER,
        "minimum": 0,
        "maximum": LONGEST_WINDOW_S,
        "default": WINDOW_S,
        "description": "So many seconds, by the session's clock or the wall's, part two attempts at most.",
    }
}
_PICTURE: Node = {"media_type": "*/*", "errors": (404,)}


@dataclass(frozen=True, slots=True)
class JournalRoutes:
    """The routes of all sessions of a process."""

    guard: Guard
    streams: Streams

    def routes(self) -> list[Route]:
        """Every route, guarded."""
        guard = self.guard
        return [
            guarded_route(
                guard,
                "/requests",
                self._requests,
                get("The journal, the newest request first", told.ENTRIES, query=_FILTERS, errors=(400,)),
                delete("Forget every request", told.CLEARED),
            ),
            guarded_route(
                guard, "/requests/{id}", self._request, get("One request", told.ENTRY, errors=(404,))
            ),
            guarded_route(
                guard, "/requests/{id}/input", self._input, get("The picture that was sent", **_PICTURE)
            ),
            guarded_route(
                guard, "/requests/{id}/output", self._output, get("The body that was sent back", **_PICTURE)
            ),
            guarded_route(
                guard,
                "/requests/{id}/thumbnail",
                self._thumbnail,
                get("Either picture in small", query=_OF, media_type="image/*", errors=(400, 404)),
            ),
            guarded_route(
                guard,
                "/verify",
                self._verify,
                post(
                    "Were there as many such requests as there should be?",
                    told.VERIFIED,
                    VerifyQuestion,
                    errors=(400, 409),
                    text="409 when not; its body is that of the 200, with the closest misses.",
                ),
            ),
            guarded_route(
                guard,
                "/ledger/verdict",
                self._verdict,
                get("Was anybody charged twice?", told.VERDICT, query=_WINDOW, errors=(400,)),
            ),
            guarded_route(guard, "/lint", self._lint, get("Advice to the client", told.LINT)),
            guarded_route(
                guard,
                "/events",
                self._events,
                get(
                    "Server-sent events, one for each finished request",
                    media_type="text/event-stream",
                    errors=(503,),
                ),
            ),
        ]

    async def _requests(self, request: Request) -> Any:
        tenant = await _reading(request)
        if request.method == "DELETE":
            return await clear_requests(tenant)
        return list_requests(tenant, request.query_params, _base_of(request))

    async def _request(self, request: Request) -> Any:
        return read_request(await _reading(request), request.path_params["id"], _base_of(request))

    async def _input(self, request: Request) -> Any:
        return _file(input_of(await _reading(request), request.path_params["id"]))

    async def _output(self, request: Request) -> Any:
        return _file(output_of(await _reading(request), request.path_params["id"]))

    async def _thumbnail(self, request: Request) -> Any:
        tenant, name = await _reading(request), request.path_params["id"]
        story, which = story_named(tenant, name), request.query_params.get("of")
        small = partial(thumbnail_of, tenant, name, which)
        # Decoding a picture takes memory: it waits for its turn as an edit does, unless there is nothing to decode.
        file = await tenant.workshop.run(pixels_of(tenant, story, which), small)
        tenant.journal.weigh(story)
        return _file(file)

    async def _verify(self, request: Request) -> Any:
        body = await control_body(request)
        ok, answer = verify((await _reading(request)).journal, body)
        return json_response(answer, 200 if ok else 409)

    async def _verdict(self, request: Request) -> Any:
        return verdict((await _reading(request)).journal, window_of(request.query_params))

    async def _lint(self, request: Request) -> Any:
        tenant = await _reading(request)
        return lint(tenant.contract, tenant.journal)

    async def _events(self, request: Request) -> Any:
        tenant, base = await _reading(request), _base_of(request)
        return self.streams.stream(tenant, request, lambda story: entry_of(tenant, story, base))


async def _reading(request: Request) -> Tenant:
    """The session, its journal as it is now. Raises StoreUnavailable."""
    tenant = tenant_of(request.scope)
    await tenant.journal.refresh()
    return tenant


def _file(file: File) -> Response:
    return Response(file.data, media_type=file.media_type, headers=_HARMLESS)


def _base_of(request: Request) -> str:
    return origin_of(request) + outer_of(request)
