"""Rules that are seen on every exchange, whatever its case is about. Nothing here sends."""

from __future__ import annotations

import json

from venice_contract.judging.check import invariant
from venice_contract.judging.expect import expect, fail
from venice_contract.judging.facts import Facts
from venice_contract.wire.message import BadReply, Exchange, Reply, Request, shown

_EDIT = "/image/edit"
# The statuses that the operation and the general error table list between them.
_STATUSES = frozenset({200, 400, 401, 402, 403, 404, 413, 415, 422, 429, 500, 503, 504})
_FORCED = ("x-mock", "prefer")  # headers that order an error of a mock


@invariant("EDIT-HTTP-015")
def an_edit_is_answered_with_a_status_of_the_contract(exchange: Exchange, _facts: Facts) -> bool:
    """A POST to the edit path never gets a status that no table lists."""
    reply = _edited(exchange)
    if reply is None:
        return False
    is_listed_status(reply)
    return True


def is_listed_status(reply: Reply) -> None:
    """The status is one that some table of the contract lists."""
    expect(reply.status in _STATUSES, f"answered {reply.status}: {shown(reply.body)}")


@invariant("EDIT-HTTP-016")
def statuses_of_the_general_table_are_noted(exchange: Exchange, _facts: Facts) -> bool:
    """Meeting one of them is a gap of the operation's page, and no fault."""
    reply = _edited(exchange)
    return reply is not None and reply.status in (403, 404, 413, 422, 504)


@invariant("EDIT-HTTP-017")
def nothing_that_is_sent_makes_a_5xx(exchange: Exchange, facts: Facts) -> bool:
    """Unless a mock was told to fail, or a request that may be valid met what a valid one may meet."""
    reply = _edited(exchange)
    if reply is None or any(exchange.request.header(name) for name in _FORCED):
        return False
    if exchange.label.startswith("told to fail"):
        return False
    if reply.status in (500, 503, 504) and _may_be_valid(exchange.request, facts):
        return False
    expect(reply.status < 500, f"answered {reply.status}: {shown(reply.body)}")
    return True


@invariant("EDIT-ERR-001")
def an_error_is_json_with_a_text(exchange: Exchange, _facts: Facts) -> bool:
    """application/json with a string under ``error``; the discovery 402 alone may do without."""
    reply = _edited(exchange)
    if reply is None or reply.status == 200:
        return False
    is_plain_error(reply)
    return True


def is_plain_error(reply: Reply) -> None:
    """application/json with a string under ``error``, or the discovery 402."""
    try:
        body = reply.json()
    except BadReply as bad:
        fail(f"a {reply.status} whose body is no JSON: {bad}")
    expect(isinstance(body, dict), f"a {reply.status} whose body is no object: {shown(reply.body)}")
    if reply.status == 402 and "x402Version" in body:
        return
    expect(reply.media_type == "application/json", f"a {reply.status} of type {reply.media_type or 'none'}")
    expect(
        isinstance(body.get("error"), str) and body["error"] != "", f"error is no text: {shown(reply.body)}"
    )


def _edited(exchange: Exchange) -> Reply | None:
    """The answer to a POST on the edit path."""
    request = exchange.request
    if request.method != "POST" or not request.path.partition("?")[0].endswith(_EDIT):
        return None
    return exchange.reply


def _may_be_valid(request: Request, facts: Facts) -> bool:
    """Whether nothing is seen to be wrong with an edit; pictures and the parts of forms are not looked at."""
    fields = facts.edition.fields
    if all(request.header(name) is None for name in ("Authorization", *facts.edition.x402.sign_in_headers)):
        return False
    if "multipart/form-data" in (request.header("content-type") or "").lower():
        return all(f'name="{name}"'.encode() in request.body for name in fields.required)
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(said, dict) or not set(fields.required) <= set(said) <= set(fields.known):
        return False
    texts = [said.get(name) for name in (*fields.required, "model", "modelId")]
    if not all(value is None or (isinstance(value, str) and value) for value in texts):
        return False
    model = said.get("model", said.get("modelId"))
    return model is None or model in {known.id for known in facts.edition.models}
