"""Checks of the group ``transport`` about how a body travels: framing, size, and who stops in the middle."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from decimal import Decimal

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, expect
from venice_contract.judging.probe import Probe
from venice_contract.rules.transport import EDIT, UNKNOWN_MODEL
from venice_contract.wire.message import Part, Request, form_request, json_request

_MIB = 1 << 20
_LATENCY_MS = 300  # of work that a client does not wait for


# --- framing ------------------------------------------------------------------------------------------------


@check("EDIT-HTTP-018", witnesses=("chunked", "gzip"))
def an_unusual_body_works_or_is_refused_cleanly(probe: Probe, kind: str) -> None:
    """The request names an unknown model, so that either way a 4xx is right."""
    request = json_request(probe.good(model=UNKNOWN_MODEL))
    if kind == "chunked":
        request = replace(request, framing="chunked")
    else:
        coded = (("Content-Encoding", "gzip"), *request.headers)
        request = replace(request, headers=coded, body=gzip.compress(request.body))
    _cleanly_refused(probe, request)


@check("EDIT-HTTP-018", needs=("socket",))
def a_request_that_expects_to_be_told_to_go_on_is_answered(probe: Probe, _value: None) -> None:
    """``Expect: 100-continue``, from a client that does not wait for it."""
    request = json_request(probe.good(model=UNKNOWN_MODEL), headers=(("Expect", "100-continue"),))
    _cleanly_refused(probe, request)


def _cleanly_refused(probe: Probe, request: Request) -> None:
    reply = probe.unmasked(probe.send(request, caller=probe.key()))
    expect(400 <= reply.status < 500, f"answered {reply.status}, expected a 4xx")


# --- size ---------------------------------------------------------------------------------------------------


@check(
    "EDIT-HTTP-022",
    witnesses=("one byte too many", "exactly the limit", "the largest legal file"),
    heavy=True,
)
def a_json_body_has_a_limit_above_the_largest_file(probe: Probe, size: str) -> None:
    """413 above the limit, and not for what the largest legal file needs as base64."""
    limits = probe.facts.edition.limits
    if size == "the largest legal file":
        picture = bytes(limits.max_file_bytes_exclusive - 1)
        body = json.dumps(probe.good(model=UNKNOWN_MODEL, image=picture)).encode()
    else:
        over = 1 if size == "one byte too many" else 0
        if over and not probe.steerable:
            over = _MIB  # nobody measured the limit to the byte
        shell = json.dumps(probe.good(model=UNKNOWN_MODEL, image="")).encode()
        room = limits.max_json_body_bytes + over - len(shell)
        body = shell.replace(b'"image": ""', b'"image": "' + b"A" * room + b'"')
        if not over and not probe.steerable:
            probe.note("the limit is not tried to the byte")
            return
    reply = probe.unmasked(probe.send(json_request(body), caller=probe.key()))
    if size == "one byte too many":
        equal(reply.status, 413, f"the status for {len(body)} bytes")
    else:
        expect(reply.status != 413, f"{len(body)} bytes are answered 413")


@check("EDIT-HTTP-023", witnesses=("json", "form"), heavy=True)
def an_over_size_body_is_answered_before_its_end(probe: Probe, encoding: str) -> None:
    """The client stops a little above the limit, in the middle of a body of unknown length, and hears 413."""
    limits = probe.facts.edition.limits
    patient = probe.session(body_timeout="5s")  # a server that goes on reading says so in five seconds
    if encoding == "json":
        limit = limits.max_json_body_bytes
        request = json_request(b'{"image": "' + b"A" * (limit + 2 * _MIB) + b'"}')
    else:
        limit = limits.max_file_bytes_exclusive
        request = form_request([Part("image", bytes(limit + 2 * _MIB), "picture.png", "image/png")])
    cut = replace(request, framing="chunked", sends=limit + _MIB)
    patient.status(patient.send(cut, caller=patient.key()), 413)


@check("EDIT-HTTP-023")
def a_body_announced_as_too_large_is_answered_unread(probe: Probe, _value: None) -> None:
    """Content-Length alone says enough."""
    patient = probe.session(body_timeout="5s")
    length = str(probe.facts.edition.limits.max_json_body_bytes + 1)
    headers = (("Content-Type", "application/json"), ("Content-Length", length))
    begun = Request("POST", EDIT, headers, b'{"image": "', sends=11)
    patient.status(patient.send(begun, caller=patient.key()), 413)


# --- who stops in the middle --------------------------------------------------------------------------------


def _half(probe: Probe, encoding: str) -> Request:
    """A good edit of which half is sent."""
    fields = probe.good()
    whole = json_request(fields) if encoding == "json" else probe.form_of(fields)
    return replace(whole, sends=len(whole.body) // 2)


@check("EDIT-HTTP-024", witnesses=("json", "form"))
def a_body_that_stops_arriving_is_given_up(probe: Probe, encoding: str) -> None:
    """A 4xx comes soon after the time that the server was told to wait."""
    impatient = probe.session(body_timeout="100ms")
    reply = impatient.send(_half(impatient, encoding), caller=impatient.key())
    expect(400 <= reply.status < 500, f"answered {reply.status}, expected a 4xx")
    expect(reply.seconds < 5, f"it took {reply.seconds:.1f} s to give up a body that had 0.1 s to go on")


@check("EDIT-HTTP-024")
def a_request_given_up_frees_its_place(probe: Probe, _value: None) -> None:
    """A wallet may have so many requests in flight; those given up do not count."""
    impatient = probe.session(body_timeout="50ms", limits="real")
    wallet = impatient.funded_wallet("5")
    half = _half(impatient, "json")
    for _ in range(probe.facts.edition.limits.wallet_in_flight + 1):
        reply = impatient.send(half, caller=wallet)
        expect(reply.status != 429, "after some requests were given up the wallet has no place left")


@check("EDIT-HTTP-025", witnesses=("during the work", "during the upload"))
def who_leaves_is_charged_nothing(probe: Probe, when: str) -> None:
    """An abandoned edit and a later, longer one together cost what one costs."""
    key, fields = probe.key(balance="5"), probe.good()
    probe.succeeds(probe.edit(fields, caller=key))
    one = Decimal(5) - probe.balance_of(key)
    left = json_request(fields, headers=(("X-Mock", f"latency={_LATENCY_MS}ms"),))
    if when == "during the upload":
        left = replace(left, sends=len(left.body) // 2)
    probe.leave(left, caller=key)
    # In process the first is over when leave returns. Over a socket it would have ended before the second does.
    later = 0 if probe.bench.transport.in_process else 2 * _LATENCY_MS
    probe.succeeds(probe.edit(fields, caller=key, headers=(("X-Mock", f"latency={later}ms"),)))
    equal(Decimal(5) - probe.balance_of(key), 2 * one, "what two finished edits and an abandoned one cost")
    equal(
        Decimal(str(probe.steering.account(key.token).get("held_usd", "0"))), Decimal(0), "what is still held"
    )
