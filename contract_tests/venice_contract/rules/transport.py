"""Checks of the group ``transport``: media types, encodings, methods, paths and headers. Bodies are in ``bodies``,
their sizes and arrival in ``connections``.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect, faults_told, header_of, json_of, text_at
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.pictures.requests import Kind, OneFault, faulty_requests
from venice_contract.rules.invariants import is_listed_status
from venice_contract.wire.message import Part, Reply, Request, form_body, json_request

EDIT = "/image/edit"
UNKNOWN_MODEL = "no-such-model"  # lets nothing succeed, and is refused late: what goes before it can be seen
JSON = "application/json"


# --- the two encodings --------------------------------------------------------------------------------------


@check("EDIT-HTTP-001", witnesses=("a whole request", "an empty object", "an object on several lines"))
def the_edit_path_knows_json(probe: Probe, kind: str) -> None:
    """A POST of a JSON object is no wrong path, no wrong method and no wrong media type."""
    fields = {} if kind == "an empty object" else probe.good()
    body = json.dumps(fields, indent=2 if kind == "an object on several lines" else None).encode()
    reply = probe.send(json_request(body))
    expect(reply.status not in (404, 405, 415), f"{kind} is answered {reply.status}")


def one_fault_requests(facts: Facts) -> st.SearchStrategy[dict[str, Any]]:
    """Fields of one fault that both encodings can say: a form has neither types nor null."""
    kinds: tuple[Kind, ...] = (
        "missing", "empty", "too-long", "not-in-list", "unknown-key", "unknown-model", "over-limit",
        "unlisted-ratio", "unlisted-tier", "tierless-tier",
    )  # fmt: skip
    drawn = faulty_requests(facts.edition, kinds=kinds, quality=False)
    return drawn.filter(lambda fault: fault.takes_image).map(_text_fields)


def _text_fields(fault: OneFault) -> dict[str, Any]:
    unknown = fault.kind == "unknown-key"
    return {name: "x" if unknown and name == fault.field else value for name, value in fault.fields.items()}


@check(
    "EDIT-HTTP-002",
    witnesses=(
        {"aspect_ratio": "107:60"},
        {"image": Picture(10, 10).to_json()},
        {"model": UNKNOWN_MODEL},
        {"prompt": ""},
        {"prompt": None},
        {"resolution": "8K"},
        {"modelId": "nope", "model": None},
        {"output_format": "gif"},
        {"mask": "x"},
        {"safe_mode": False, "model": UNKNOWN_MODEL},
    ),
    strategy=one_fault_requests,
)
def both_encodings_are_judged_alike(probe: Probe, changes: dict[str, Any]) -> None:
    """Equal status and equal faulty fields as JSON and as a form with the picture as a file part."""
    image = changes.get("image")
    said = {name: ... if value is None else value for name, value in changes.items()}
    fields = probe.good(**said | ({} if image is None else {"image": Picture.from_json(image)}))
    as_json = probe.unmasked(probe.edit(fields))
    as_form = probe.unmasked(probe.edit(fields, form=True))
    equal(as_form.status, as_json.status, "the status of the form")
    in_json, in_form = faults_told(as_json), faults_told(as_form)
    if in_json is not None and in_form is not None:
        equal(sorted(in_form), sorted(in_json), "the list of faulty fields of the form")


# --- media types --------------------------------------------------------------------------------------------


@check("EDIT-HTTP-003", witnesses=("application/x-www-form-urlencoded", "text/plain", "image/png",
                                   "application/xml", "multipart/mixed; boundary=edge"))  # fmt: skip
def another_media_type_is_refused(probe: Probe, media_type: str) -> None:
    """The body would be a good one if only its type were."""
    fields = probe.good()
    bodies = {
        "application/x-www-form-urlencoded": urlencode(fields).encode(),
        "image/png": probe.picture(),
        "application/xml": b"<edit><prompt>make it warm</prompt></edit>",
        "multipart/mixed; boundary=edge": form_body([Part("prompt", b"make it warm")], "edge"),
    }
    body = bodies.get(media_type, json.dumps(fields).encode())
    _refused_by_type(probe, Request("POST", EDIT, (("Content-Type", media_type),), body))


@check("EDIT-HTTP-004")
def a_body_without_a_media_type_is_refused(probe: Probe, _value: None) -> None:
    """JSON that does not say it is JSON."""
    _refused_by_type(probe, Request("POST", EDIT, (), json.dumps(probe.good()).encode()))


def _refused_by_type(probe: Probe, request: Request) -> None:
    reply = probe.unmasked(probe.send(request, caller=probe.key(), price=probe.facts.price(probe.good())))
    errors = probe.facts.edition.errors
    fits = {
        side: reply.status == errors[str(name)].status
        for side, name in probe.facts.ways("wrong-content-type").items()
    }
    probe.agrees("wrong-content-type", f"answered {reply.status}", **fits)


@check(
    "EDIT-HTTP-005",
    witnesses=(
        ("APPLICATION/JSON; Charset=UTF-8", None),
        ('Multipart/Form-Data; charset=utf-8; Boundary="a quoted: boundary"', "a quoted: boundary"),
        (f"multipart/form-data; boundary={'b' * 70}", "b" * 70),
        ("application/json;charset=utf-8;q=1", None),
    ),
)
def the_media_type_is_recognised(probe: Probe, value: tuple[str, str | None]) -> None:
    """Written in an unusual way it leads to the same answer, here to that of an unknown model."""
    content_type, boundary = value
    fields = probe.good(model=UNKNOWN_MODEL)
    usual = json_request(fields) if boundary is None else probe.form_of(fields)
    body = usual.body
    if boundary is not None:
        body = body.replace(b"--venice-contract-form", b"--" + boundary.encode())
    unusual = Request("POST", EDIT, (("Content-Type", content_type),), body)
    same_answer(probe, unusual, usual, f"with the type {content_type!r}")


def same_answer(probe: Probe, asked: Request, usual: Request, what: str) -> Reply:
    """Both requests, neither of which can succeed, are answered alike: status and text. Returns the first answer."""
    expected = probe.unmasked(probe.send(usual, caller=probe.key()))
    reply = probe.unmasked(probe.send(asked, caller=probe.key()))
    equal(reply.status, expected.status, f"the status {what}")
    equal(error_text(reply), error_text(expected), f"the error {what}")
    return reply


# --- methods and paths --------------------------------------------------------------------------------------


@check("EDIT-HTTP-014", witnesses=("GET", "PUT", "DELETE", "HEAD", "OPTIONS"))
def other_methods_are_answered(probe: Probe, method: str) -> None:
    """404, 405 or, for OPTIONS, a CORS reply; whoever asks for credentials first has not said."""
    reply = probe.send(Request(method, EDIT))
    probe.note(f"{method} {EDIT} is answered {reply.status}")
    allowed = (401, 402, 404, 405, *((200, 204) if method == "OPTIONS" else ()))
    expect(reply.status in allowed, f"{method} is answered {reply.status}")


@check(
    "EDIT-HTTP-020",
    witnesses=[
        [method, path]
        for path in ("/nothing", "/image", "/image/edit/", "/image/edits", "/models/")
        for method in ("GET", "POST")
    ],
)
def an_unknown_path_is_a_json_404(probe: Probe, value: tuple[str, str]) -> None:
    """404, application/json, with a text under ``error``."""
    method, path = value
    request = Request(method, path) if method == "GET" else json_request({}, path=path)
    reply = probe.status(probe.send(request), 404)
    equal(reply.media_type, JSON, "the media type")
    text_at(json_of(reply), "error")


@check(
    "EDIT-HTTP-021",
    witnesses=(
        ("GET", EDIT, "POST"),
        ("PUT", EDIT, "POST"),
        ("POST", "/models", "GET"),
        ("DELETE", "/models/traits", "GET"),
        ("PUT", "/models/compatibility_mapping", "GET"),
        ("POST", "/billing/balance", "GET"),
        ("GET", "/x402/top-up", "POST"),
        ("POST", "/x402/balance/0x0000000000000000000000000000000000000001", "GET"),
        ("DELETE", "/x402/transactions/0x0000000000000000000000000000000000000001", "GET"),
    ),
)
def a_wrong_method_is_told_the_right_ones(probe: Probe, value: tuple[str, str, str]) -> None:
    """405 in JSON, and Allow has the methods that work and not the one that was used."""
    method, path, right = value
    reply = probe.status(probe.send(Request(method, path)), 405)
    equal(reply.media_type, JSON, "the media type")
    text_at(json_of(reply), "error")
    allowed = {name.strip().upper() for name in header_of(reply, "allow").split(",")}
    expect(right in allowed, f"Allow does not name {right}: {sorted(allowed)}")
    expect(method not in allowed, f"Allow names {method}, which was refused: {sorted(allowed)}")


# --- statuses and headers -----------------------------------------------------------------------------------


@check(
    "EDIT-HTTP-015",
    witnesses=(
        ("If-Match", '"no-such-version"'),
        ("Range", "bytes=0-99"),
        ("X-HTTP-Method-Override", "GET"),
        ("Accept-Encoding", "identity;q=0, *;q=0"),
        ("Accept-Charset", "iso-8859-5"),
    ),
)
def no_header_leads_to_a_status_of_its_own(probe: Probe, header: tuple[str, str]) -> None:
    """Headers to which HTTP has statuses of its own (412, 416, 206, 406) lead to none that no table lists."""
    reply = probe.send(json_request(probe.good()), headers=(header,))
    is_listed_status(reply)


@check("EDIT-HTTP-026", witnesses=("image/png", "application/json", "*/*", "image/*", "text/html;q=0.1"))
def no_accept_header_leads_to_406(probe: Probe, accept: str) -> None:
    """An answer is sent whatever the client would like."""
    for request in (json_request(probe.good()), Request("GET", "/models")):
        reply = probe.send(request, caller=NOBODY, headers=(("Accept", accept),))
        expect(reply.status != 406, f"{request.method} with Accept: {accept} is answered 406")


@check("EDIT-HTTP-026", witnesses=(JSON, "multipart/form-data"))
def a_get_with_a_content_type_is_served_like_any_other(probe: Probe, content_type: str) -> None:
    """Some clients send Content-Type with every request."""
    plain = probe.get("/models")
    reply = probe.get("/models", headers=(("Content-Type", content_type),))
    equal(reply.status, plain.status, f"the status with Content-Type: {content_type}")
