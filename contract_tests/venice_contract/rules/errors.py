"""Checks of the group ``response`` about errors: the shape of refusals, and the vendor's table of errors.

How each kind of fault is worded is in ``wordings``. EDIT-ERR-001 is seen on every answer, too: ``invariants``.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    NotApplicable,
    at,
    equal,
    expect,
    fields_at_fault,
    json_of,
    list_at,
    members,
    text_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.pictures.requests import Kind, OneFault
from venice_contract.rules.faults import (
    PROMPT,
    UNKNOWN_KEYS,
    any_fault,
    place_of,
    read_fault,
    refusal,
    single_faults,
    told_by,
    unlisted_ratios,
    unlisted_tiers,
)
from venice_contract.rules.invariants import is_plain_error
from venice_contract.rules.prompts import limit_of
from venice_contract.rules.transport import EDIT, UNKNOWN_MODEL
from venice_contract.wire.message import Reply, Request, json_request

_Fault = str | dict[str, Any]


def _names(facts: Facts) -> list[str]:
    return list(single_faults(facts))


# --- every error --------------------------------------------------------------------------------------------


@check("EDIT-ERR-001", witnesses=("a key that nobody has", "nobody", "a media type of another kind"))
def an_error_of_any_kind_is_json_with_a_text(probe: Probe, kind: str) -> None:
    """Whoever asks, and whatever is wrong."""
    request = json_request(probe.good())
    if kind == "a media type of another kind":
        request = Request("POST", EDIT, (("Content-Type", "text/plain"),), request.body)
    caller = probe.bad_key() if kind == "a key that nobody has" else NOBODY
    reply = probe.send(request, caller=caller)
    if reply.status == 200:
        raise NotApplicable("it is served, which other rules judge")
    is_plain_error(reply)


# --- validation errors --------------------------------------------------------------------------------------


@check("EDIT-ERR-002", witnesses=_names, strategy=any_fault)
def details_name_the_field_at_fault_and_no_other(probe: Probe, value: _Fault) -> None:
    """400, and of all fields only the faulty one has messages; an unknown key has them at the root."""
    fault = read_fault(probe.facts, value)
    reply = refusal(probe, fault)
    equal(reply.status, 400, "the status")
    equal(sorted(fields_at_fault(reply)), [place_of(fault)], "the list of what details name")


@check("EDIT-ERR-003", witnesses=_names, strategy=any_fault)
def issues_have_code_path_and_message(probe: Probe, value: _Fault) -> None:
    """A list of at least one object with these three."""
    body = json_of(refusal(probe, read_fault(probe.facts, value)))
    issues = list_at(body, "issues")
    expect(bool(issues), "issues is an empty list")
    for number, issue in enumerate(issues):
        expect(isinstance(issue, dict), f"issue {number} is no object")
        text_at(issue, "code")
        text_at(issue, "message")
        steps = list_at(issue, "path")
        expect(all(isinstance(step, str | int) for step in steps), f"path of issue {number} is {steps!r}")


@check("EDIT-ERR-013", witnesses=_names, strategy=any_fault)
def every_validation_error_has_one_sentence(probe: Probe, value: _Fault) -> None:
    """Whatever the fault is, ``error`` is the same."""
    body = json_of(refusal(probe, read_fault(probe.facts, value)))
    equal(at(body, "error"), probe.facts.edition.messages.envelope, "error")


# --- several faults -----------------------------------------------------------------------------------------

_SEVERAL: tuple[dict[str, Any], ...] = (
    {"prompt": "", "aspect_ratio": "107:60", UNKNOWN_KEYS[0]: 7},
    {"prompt": None, "output_format": "gif"},
    {"resolution": "K" * 11, "safe_mode": "maybe", "aspect_ratio": "wide"},
    {UNKNOWN_KEYS[1]: 2, "output_format": "bmp"},
)


def _several(facts: Facts) -> st.SearchStrategy[dict[str, Any]]:
    wrong = {
        "prompt": st.sampled_from(["", 5, None, []]),
        "aspect_ratio": st.sampled_from(["107:60", "", 1, None]),
        "output_format": st.sampled_from(["gif", "PNG", None]),
        "resolution": st.sampled_from(["", "K" * (facts.edition.limits.resolution_max + 1), 1]),
        "safe_mode": st.sampled_from([0, "no", None]),
        UNKNOWN_KEYS[0]: st.just(7),
    }
    return st.fixed_dictionaries({}, optional=wrong).filter(lambda changes: len(changes) > 1)


@check("EDIT-ERR-005", witnesses=_SEVERAL, strategy=_several)
def several_faults_are_told_at_once(probe: Probe, changes: dict[str, Any]) -> None:
    """What each fault is told to be when it comes alone is told too when they come together."""
    _told_together(probe, {"model": probe.facts.cheapest().id, "prompt": PROMPT}, changes)


def _told_together(probe: Probe, plain: dict[str, Any], changes: dict[str, Any]) -> None:
    """Each change alone, then all: everything that was named before is named again."""
    alone: set[str] = set()
    for name, value in changes.items():
        named = _named(probe, plain | {name: value})
        alone |= named
    if len(alone) < 2:
        raise NotApplicable(f"of these faults only {sorted(alone)} is told when it comes alone")
    together = _named(probe, plain | changes)
    missing = sorted(alone - together)
    expect(not missing, f"together they are told as {sorted(together)}, without {', '.join(missing)}")


def _named(probe: Probe, fields: dict[str, Any]) -> set[str]:
    reply = probe.unmasked(probe.edit(fields | {"image": probe.image_text()}))
    return told_by(reply).fields if reply.status == 400 else set()


@check("EDIT-ERR-014", witnesses=lambda facts: _triply_limited(facts))
def a_models_own_refusals_are_told_at_once(probe: Probe, model: str) -> None:
    """A ratio, a tier and a prompt that this model does not take, all in one request."""
    changes = {
        "aspect_ratio": unlisted_ratios(probe.facts, model)[0],
        "resolution": unlisted_tiers(probe.facts, model)[0],
        "prompt": "x" * (limit_of(probe.facts, model) + 1),
    }
    _told_together(probe, {"model": model, "prompt": PROMPT}, changes)


def _triply_limited(facts: Facts) -> list[str]:
    """The models that can refuse a ratio, a tier and a prompt."""
    return [
        model.id
        for model in facts.models
        if unlisted_ratios(facts, model.id)
        and unlisted_tiers(facts, model.id)
        and limit_of(facts, model.id) < facts.edition.limits.prompt_max
    ]


# --- forms --------------------------------------------------------------------------------------------------


_SAYABLE: tuple[Kind, ...] = (
    "missing", "empty", "too-long", "not-in-list", "unknown-key", "over-limit", "unlisted-ratio", "unlisted-tier",
)  # fmt: skip


def _sayable(facts: Facts) -> list[str]:
    """The faults that a form, which has only text, can have."""
    return [name for name in single_faults(facts) if name != "a number for prompt"]


@check("EDIT-ERR-016", witnesses=_sayable, strategy=lambda facts: any_fault(facts, _SAYABLE))
def a_form_is_told_the_same_as_json(probe: Probe, value: _Fault) -> None:
    """``error``, ``details`` and ``issues`` of both are equal."""
    fault = read_fault(probe.facts, value)
    if fault.kind == "unknown-key":  # in a form every value is a text
        fault = OneFault(fault.fields | {fault.field: "x"}, fault.field, fault.kind)
    in_json, in_form = refusal(probe, fault), refusal(probe, fault, form=True)
    if in_json.status != in_form.status:
        raise NotApplicable(
            f"JSON is answered {in_json.status} and a form {in_form.status}; others judge that"
        )
    json_body, form_body = json_of(in_json), json_of(in_form)
    for name in ("error", "details", "issues"):
        equal(form_body.get(name), json_body.get(name), f"{name} of the form")


# --- the table of errors ------------------------------------------------------------------------------------


def _failures(facts: Facts) -> list[str]:
    return [name for name, row in facts.edition.errors.items() if row.status in (500, 503)]


@check("EDIT-ERR-004", witnesses=_failures)
def a_failure_has_the_plain_body(probe: Probe, name: str) -> None:
    """JSON with a text under ``error`` and, beside it, nothing but perhaps a code."""
    reply = _ordered(probe, name)
    expect(reply.status in (500, 503), f"a {name} that was asked for is answered {reply.status}")
    equal(reply.media_type, "application/json", "the media type")
    body = json_of(reply)
    members(body, ("error",), ("code",))
    text_at(body, "error")


def _ordered(probe: Probe, name: str) -> Reply:
    """The answer of a mock that was asked for this error."""
    headers = (("X-Mock", f"error={name.lower()}"),)
    return probe.edit(probe.good(), headers=headers, label=f"told to fail with {name}")


@check("EDIT-ERR-015", witnesses=lambda facts: list(facts.edition.errors))
def an_error_that_is_asked_for_is_the_tables(probe: Probe, name: str) -> None:
    """Status, sentence and code, which most errors do not have."""
    reply = _ordered(probe, name)
    equal(reply.status, probe.facts.edition.errors[name].status, "the status")
    _is_row(probe, reply, name)


def _is_row(probe: Probe, reply: Reply, name: str) -> None:
    row, body = probe.facts.edition.errors[name], json_of(reply)
    sentences = [row.text]
    if name == "ERROR_BUDGET":
        sentences = [row.text.format(**way) for way in probe.facts.ways("error-budget").values()]
    text = text_at(body, "error")
    expect(text in sentences, f"error is {text!r}, expected {' or '.join(map(repr, sentences))}")
    equal(body.get("code"), row.code, "code")


_PROVOKED = (
    "MODEL_NOT_FOUND", "CORRUPTED_IMAGE", "IMAGE_TOO_SMALL", "PAYLOAD_TOO_LARGE", "AUTHENTICATION_FAILED",
    "INSUFFICIENT_BALANCE", "MODEL_OFFLINE", "INVALID_REQUEST", "PAYMENT_HEADER_NOT_ACCEPTED",
)  # fmt: skip


@check("EDIT-ERR-015", witnesses=_PROVOKED)
def an_error_that_is_provoked_is_the_tables(probe: Probe, name: str) -> None:
    """The sentence and the code that go with the status; where another status comes, other rules judge that."""
    reply = _provoked(probe, name)
    if reply.status != probe.facts.edition.errors[name].status:
        raise NotApplicable(f"it is answered {reply.status}, which other rules judge")
    _is_row(probe, reply, name)


def _provoked(probe: Probe, name: str) -> Reply:
    """The answer to a request that should meet this error."""
    match name:
        case "MODEL_NOT_FOUND":
            return probe.edit(probe.good(model=UNKNOWN_MODEL))
        case "CORRUPTED_IMAGE":
            return probe.edit(probe.good(image=b"no picture at all"))
        case "IMAGE_TOO_SMALL":
            return probe.edit(probe.good(image=Picture(8, 8)))
        case "PAYLOAD_TOO_LARGE":
            impatient = probe.session(body_timeout="1s")
            return impatient.send(_too_large(probe), caller=probe.key())
        case "AUTHENTICATION_FAILED":
            return probe.edit(caller=probe.bad_key())
        case "INSUFFICIENT_BALANCE":
            return probe.edit(caller=probe.poor_key())
        case "MODEL_OFFLINE":
            model = probe.facts.cheapest().id
            changed = probe.session(models={model: {"offline": True}})
            return changed.edit()
        case "INVALID_REQUEST":
            return probe.edit(probe.good(aspect_ratio="107:60"))
        case _:
            header = probe.facts.edition.x402.payment_headers[0]
            return probe.edit(headers=((header, "eyJ4NDAyVmVyc2lvbiI6Mn0="),))


def _too_large(probe: Probe) -> Request:
    """A request that says before its body that this will be too large."""
    length = str(probe.facts.edition.limits.max_json_body_bytes + 1)
    headers = (("Content-Type", "application/json"), ("Content-Length", length))
    return Request("POST", EDIT, headers, b"{", sends=1)
