"""Checks of the group ``control`` that are about a mock as a server: its health, its document, its own headers.

Its keys are in ``magic_keys``, and what its two behaviours differ in is in ``differences``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from venice_contract.judging.callers import Key
from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    at,
    equal,
    expect,
    header_of,
    json_of,
    object_at,
    text_at,
)
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.magic_keys import mock_headers
from venice_contract.wire.message import Reply, Request, json_request
from venice_contract.wire.target import API

# --- health -------------------------------------------------------------------------------------------------


@check("MOCK-SRV-001", witnesses=("/livez", "/readyz"), spends=1)
def a_server_that_can_edit_says_that_it_is_well(probe: Probe, path: str) -> None:
    """200 at the path, without credentials, and the edit that follows succeeds."""
    probe.status(probe.send(Request("GET", path, absolute=True)), 200)
    probe.status(probe.edit(), 200)


# --- the document -------------------------------------------------------------------------------------------

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def _document(probe: Probe) -> Any:
    return json_of(probe.status(probe.get("/openapi.json"), 200))


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value."""
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(value)


@check("MOCK-SRV-002")
def the_mock_describes_itself_in_openapi(probe: Probe, _value: None) -> None:
    """What OpenAPI 3.1 asks of all: version, info, operations with answers, references that lead somewhere."""
    document = _document(probe)
    expect(text_at(document, "openapi").startswith("3.1"), f"openapi is {document['openapi']!r}")
    text_at(document, "info", "title")
    text_at(document, "info", "version")
    names: list[str] = []
    for path, item in object_at(document, "paths").items():
        expect(path.startswith("/"), f"the path {path!r} does not begin with a slash")
        for method in sorted(_METHODS & set(item)):
            where = ("paths", path, method)
            names.append(text_at(document, *where, "operationId"))
            expect(bool(object_at(document, *where, "responses")), f"{method} {path} has no responses")
            for status, answer in item[method]["responses"].items():
                expect(
                    "$ref" in answer or "description" in answer, f"{method} {path}: {status} is not described"
                )
    equal(len(set(names)), len(names), "the number of different operationIds")
    for node in _nodes(document):
        if isinstance(node.get("$ref"), str):
            steps = node["$ref"].removeprefix("#/").split("/")
            at(document, *(step.replace("~1", "/").replace("~0", "~") for step in steps))


@check("MOCK-SRV-002")
def the_document_is_of_what_is_served(probe: Probe, _value: None) -> None:
    """Every path of the API stands there, and its lists of values are the edition's."""
    document = _document(probe)
    edition = probe.facts.edition
    served = [
        edition.path, f"{API}/models", f"{API}/billing/balance", edition.x402.top_up.path,
        edition.x402.statements.balance_path, edition.x402.statements.transactions_path,
    ]  # fmt: skip
    told = [path.partition("/{")[0] for path in object_at(document, "paths")]
    missing = [path for path in served if path not in told]
    expect(not missing, f"the document lacks {', '.join(missing)}")
    fields = edition.fields
    wanted = {
        "aspect_ratio": set(fields.aspect_ratios),
        "modelId": set(fields.model_ids),
        "output_format": {*fields.output_formats, *fields.format_aliases},
    }
    for name, values in wanted.items():
        lists = [
            node["properties"][name]["enum"]
            for node in _nodes(document)
            if isinstance(node.get("properties"), dict) and "enum" in node["properties"].get(name, ())
        ]
        expect(bool(lists), f"the document lists no values of {name}")
        for found in lists:
            equal(sorted(found), sorted(values), f"the list of values of {name}")


# --- headers of its own -------------------------------------------------------------------------------------

_REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "an empty prompt": ({"prompt": ""}, "EDIT-PRM-002"),
    "an unknown key": ({"mask": "x"}, "EDIT-HTTP-009"),
    "an unknown model": ({"model": "no-such-model"}, "EDIT-MOD-005"),
    "a small picture": ({"image": Picture(9, 9)}, "EDIT-IMG-012"),
}
_OTHERS = ("no credentials", "a bad key", "an empty key", "a payment header", "a broken body")


def _refusal(probe: Probe, kind: str) -> Reply:
    request = json_request(probe.good())
    if kind == "no credentials":
        reply = probe.send(request, caller=NOBODY)
    elif kind == "a bad key":
        reply = probe.send(request, caller=probe.bad_key())
    elif kind == "an empty key":
        reply = probe.send(request, caller=Key("mock_insufficient_balance"))
    elif kind == "a payment header":
        name = probe.facts.edition.x402.payment_headers[0]
        reply = probe.send(request, caller=probe.key(), headers=((name, "x"),))
    elif kind == "a broken body":
        reply = probe.send(json_request(b"{"), caller=probe.key())
    else:
        reply = probe.edit(probe.good(**_REFUSALS[kind][0]))
    expect(400 <= reply.status < 500, f"{kind} is answered {reply.status}")
    return reply


@check("MOCK-SRV-004", witnesses=(*_REFUSALS, *_OTHERS))
def a_refusal_names_the_rule_that_was_broken(probe: Probe, kind: str) -> None:
    """X-Mock-Rule is the id of a rule, and of the right one where there can be no doubt."""
    rule = header_of(_refusal(probe.session(pure=False), kind), "X-Mock-Rule")
    expect(rule in {known.id for known in probe.facts.edition.rules}, f"X-Mock-Rule names no rule: {rule!r}")
    if kind in _REFUSALS:
        equal(rule, _REFUSALS[kind][1], f"X-Mock-Rule for {kind}")


@check("MOCK-SRV-004", witnesses=(*_REFUSALS, *_OTHERS))
def a_pure_mock_refuses_with_the_same_words_and_no_header_of_its_own(probe: Probe, kind: str) -> None:
    """Status and headers are those of a mock that is not pure, without the mock's own."""
    told, pure = (_refusal(probe.session(pure=way), kind) for way in (False, True))
    equal(pure.status, told.status, "the status of the pure mock")
    equal(mock_headers(pure), [], "the list of headers of the mock")
    own = set(mock_headers(told))
    names = {name for name, _ in told.headers} - own
    equal(sorted({name for name, _ in pure.headers}), sorted(names), "the list of headers of the pure mock")


@check("MOCK-SRV-004", spends=2)
def a_pure_mock_sends_a_picture_without_headers_of_its_own(probe: Probe, _value: None) -> None:
    """An ordinary edit, and one that was steered by a header."""
    pure = probe.session(pure=True)
    for steered in ((), (("X-Mock", "seed=7"),)):
        reply = pure.status(pure.edit(headers=steered), 200)
        equal(mock_headers(reply), [], f"the list of headers of the mock, steered by {steered}")


@check("MOCK-SRV-004")
def a_pure_mock_has_no_header_of_its_own_anywhere(probe: Probe, _value: None) -> None:
    """No other endpoint of the API sends headers of the mock once it is pure."""
    pure = probe.session(pure=True)
    for path in ("/models", "/models?type=nope", "/billing/balance", "/nothing"):
        equal(mock_headers(pure.get(path)), [], f"the list of headers of the mock at {path}")
