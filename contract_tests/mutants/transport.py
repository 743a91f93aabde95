"""Mutants of the group ``transport``: media types, syntax, framing, keys and types of the request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from unittest import mock

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Scope

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.edit import validation
from venice_mock.errors import plain, refuse


def _header(scope: Scope, name: str) -> str:
    return next((v.decode("latin-1") for n, v in scope["headers"] if n.lower() == name.encode()), "")


def _refused(answer: Answer, status: int, text: str = "Refused") -> Answer:
    return answer.with_body({"error": text}, status).with_header("content-type", "application/json")


# --- altered answers ----------------------------------------------------------------------------------------


def _no_page_for_an_empty_object(scope: Scope, _body: bytes, answer: Answer) -> Answer:
    is_json = _header(scope, "content-type") == "application/json"
    # Without credentials the body itself is never read.
    is_empty = _header(scope, "content-length") == "2" and not _header(scope, "authorization")
    return _refused(answer, 404) if is_json and is_empty and scope["method"] == "POST" else answer


def _trips_over_proto(_scope: Scope, body: bytes, answer: Answer) -> Answer:
    return _refused(answer, 500) if b'"model": "__proto__"' in body else answer


def _trips_over_gzip(scope: Scope, _body: bytes, answer: Answer) -> Answer:
    return _refused(answer, 500) if _header(scope, "content-encoding") == "gzip" else answer


def _only_json_is_acceptable(scope: Scope, _body: bytes, answer: Answer) -> Answer:
    accept = _header(scope, "accept")
    fits = not accept or any(kind in accept for kind in ("*/*", "application/json"))
    return answer if fits else _refused(answer, 406)


def _trips_over_a_slow_body(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    said = answer.json()
    slow = isinstance(said, dict) and "not received in time" in str(said.get("error"))
    return _refused(answer, 500) if slow else answer


# --- replaced functions -------------------------------------------------------------------------------------


def _body_kind(media_type_of: Callable[[str], str]) -> Callable[[Any], Any]:
    """``body_kind`` that sees another media type than the one sent."""

    def wrap(original: Any) -> Any:
        def body_kind(contract: Any, headers: Mapping[str, str]) -> Any:
            return original(contract, {"content-type": media_type_of(headers.get("content-type", ""))})

        return body_kind

    return wrap


def _with_case(content_type: str) -> str:
    media_type = content_type.partition(";")[0].strip()
    return media_type if media_type == media_type.lower() else "application/x-unknown"


def _wanting_a_body(original: Any) -> Any:
    def fields_of_json(body: bytes) -> Any:
        if not body:
            raise plain(422, "A body is required", name="NO_BODY")
        return original(body)

    return fields_of_json


def _first_of_a_list(original: Any) -> Any:
    def fields_of_json(body: bytes) -> Any:
        if body.startswith(b"[{"):
            return original(json.dumps(json.loads(body)[0]).encode())
        return original(body)

    return fields_of_json


def _without_unknown_keys_in_forms(original: Any) -> Any:
    async def fields_of_form(*args: Any, **named: Any) -> Any:
        found = await original(*args, **named)
        return {name: value for name, value in found.items() if name in validation._CHECKS}

    return fields_of_form


def _completing(original: Any) -> Any:
    async def fields_of_form(chunks: AsyncIterable[bytes], content_type: str, **named: Any) -> Any:
        boundary = content_type.rpartition("boundary=")[2].strip('"').encode()
        return await original(_completed(chunks, b"--" + boundary + b"--\r\n"), content_type, **named)

    return fields_of_form


async def _completed(chunks: AsyncIterable[bytes], end: bytes) -> AsyncIterator[bytes]:
    whole = b"".join([chunk async for chunk in chunks])
    yield whole if whole.endswith(end) else whole + end


def _ignoring_size(original: Any) -> Any:
    def check_schema(contract: Any, raw: Mapping[str, Any], default_model: str) -> Any:
        kept = {name: value for name, value in raw.items() if name != "size"}
        return original(contract, kept, default_model)

    return check_schema


def _converted_prompt(contract: Any, name: str, value: Any) -> Any:
    text = str(value) if type(value) in (int, float) else value
    return validation._prompt(contract, name, text)


async def _work_goes_on(_receive: Any, work: Awaitable[Any]) -> Any:
    return await asyncio.ensure_future(work)


@asynccontextmanager
async def _kept_place(self: Any, caller: Any) -> AsyncIterator[None]:
    """``EditService._flight`` without ``finally``: who fails keeps the place."""
    if caller.kind == "wallet" and self.settings.limits == "real":
        contract, place = self.session.contract, f"flight:{caller.account}"
        if not await self.session.store.take_slot(place, contract.edition.limits.wallet_in_flight):
            raise refuse(contract, "X402_CONCURRENCY_LIMIT")
        yield
        await self.session.store.give_slot(place)
    else:
        yield


def _as_text(original: Any) -> Any:
    async def no_route(self: Any, request: Any, error: Any) -> Response:
        if error.status_code == 404:
            return PlainTextResponse("Not Found", 404)
        answer: Response = await original(self, request, error)
        return answer

    return no_route


def _without_allow(original: Any) -> Any:
    async def no_route(self: Any, request: Any, error: Any) -> Response:
        answer: Response = await original(self, request, error)
        if "allow" in answer.headers:
            del answer.headers["allow"]
        return answer

    return no_route


def _lower_limit(edition: dict[str, Any]) -> None:
    edition["limits"]["max_json_body_bytes"] = 32 << 20


def _parsers_own_words(edition: dict[str, Any]) -> None:
    edition["messages"]["invalid_json"] = "Unexpected end of JSON input"


_ENDPOINT = "venice_mock.edit.endpoint"
_READINGS = "venice_mock.edit.readings"


@contextmanager
def _nobody_looks_whether_anybody_waits() -> Iterator[Callable[[ASGIApp], ASGIApp]]:
    """In neither of the two modules that do."""
    with (
        mock.patch(f"{_ENDPOINT}.while_connected", _work_goes_on),
        mock.patch("venice_mock.edit.orders.while_connected", _work_goes_on),
    ):
        yield lambda app: app


MUTANTS: tuple[Mutant, ...] = (
    answering(
        "EDIT-HTTP-001",
        "an empty object is sent to no known path",
        _no_page_for_an_empty_object,
    ),
    wrapping(
        "EDIT-HTTP-002",
        "unknown keys are dropped from forms",
        f"{_ENDPOINT}.fields_of_form",
        _without_unknown_keys_in_forms,
    ),
    wrapping(
        "EDIT-HTTP-003",
        "a form of the old kind is taken for JSON",
        f"{_ENDPOINT}.body_kind",
        _body_kind(lambda said: "application/json" if said.endswith("urlencoded") else said),
    ),
    wrapping(
        "EDIT-HTTP-003",
        "whatever is no form is taken for JSON, as the observed server does not",
        f"{_ENDPOINT}.body_kind",
        _body_kind(lambda said: said if said.lower().startswith("multipart/") else "application/json"),
        follows=("EDIT-AUTH-021", "EDIT-HTTP-004"),
        behavior="observed",
    ),
    wrapping(
        "EDIT-HTTP-004",
        "a body without a media type is taken for JSON",
        f"{_ENDPOINT}.body_kind",
        _body_kind(lambda said: said or "application/json"),
    ),
    wrapping(
        "EDIT-HTTP-005",
        "the media type is compared with its letter case",
        f"{_ENDPOINT}.body_kind",
        _body_kind(_with_case),
    ),
    wrapping(
        "EDIT-HTTP-006",
        "an empty body is answered with 422",
        f"{_READINGS}.fields_of_json",
        _wanting_a_body,
    ),
    wrapping(
        "EDIT-HTTP-007",
        "of a list of requests the first is served",
        f"{_READINGS}.fields_of_json",
        _first_of_a_list,
    ),
    wrapping(
        "EDIT-HTTP-008",
        "a form whose end is missing is taken as whole",
        f"{_ENDPOINT}.fields_of_form",
        _completing,
    ),
    wrapping(
        "EDIT-HTTP-009",
        "size is ignored, because clients of another API send it",
        f"{_ENDPOINT}.check_schema",
        _ignoring_size,
    ),
    replaced(
        "EDIT-HTTP-010",
        "a number is a prompt once it is written out",
        "venice_mock.edit.validation._CHECKS",
        {**validation._CHECKS, "prompt": _converted_prompt},
    ),
    replaced(
        "EDIT-HTTP-011",
        "every word in a form but true is false",
        "venice_mock.edit.fields.FormText.as_boolean",
        lambda self: self == "true",
    ),
    answering("EDIT-HTTP-017", "a key of JavaScript's objects as a model ends in a 500", _trips_over_proto),
    answering(
        "EDIT-HTTP-018", "a gzip-coded body ends in a 500", _trips_over_gzip, follows=("EDIT-HTTP-017",)
    ),
    with_data("EDIT-HTTP-019", "broken JSON is told in the parser's words", _parsers_own_words),
    wrapping(
        "EDIT-HTTP-020",
        "unknown paths are answered in plain text",
        "venice_mock.app.Server.no_route",
        _as_text,
    ),
    wrapping("EDIT-HTTP-021", "a 405 has no Allow", "venice_mock.app.Server.no_route", _without_allow),
    with_data("EDIT-HTTP-022", "the limit for JSON is 32 MiB", _lower_limit),
    replaced(
        "EDIT-HTTP-023",
        "an announced length is not looked at before the body was read",
        f"{_ENDPOINT}.announced_length",
        lambda _headers: None,
    ),
    answering("EDIT-HTTP-024", "a body that stops arriving ends in a 500", _trips_over_a_slow_body),
    replaced(
        "EDIT-HTTP-024",
        "a request that was given up keeps its wallet's place in flight",
        f"{_ENDPOINT}.EditService._flight",
        _kept_place,
    ),
    Mutant(
        "EDIT-HTTP-025",
        "the work goes on, and is charged, when nobody waits any more",
        _nobody_looks_whether_anybody_waits,
    ),
    answering(
        "EDIT-HTTP-026",
        "who asks for no JSON is answered with 406",
        _only_json_is_acceptable,
        where="/models",
    ),
)
