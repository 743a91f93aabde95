"""Checks of the group ``transport`` about what stands in a body: syntax, unknown keys, wrong types, hostile values."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, expect, json_of, object_at
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.rules.transport import UNKNOWN_MODEL, same_answer
from venice_contract.wire.message import Part, Reply, Request, form_request, json_request

_LATER_KEYS = ("enhance_prompt", "disable_prompt_optimization_thinking")
_FOREIGN_KEYS: dict[str, Any] = {
    "format": "png", "mask": "x", "images": ["x"], "n": 1, "seed": 7, "return_binary": True, "size": "1024x1024",
    "negative_prompt": "x", "Prompt": "x", "safeMode": True, "": "x",
}  # fmt: skip
_BOOLEANS = ("safe_mode", *_LATER_KEYS)

# None of them holds a request that could succeed, however kindly it is read.
_NO_JSON = {
    "cut in the middle": b'{"prompt": "make it warm", "image": "eA=="',
    "empty": b"",
    "not a number": b'{"prompt": NaN, "image": "eA=="}',
    "a byte order mark": b'\xef\xbb\xbf{"image": "eA=="}',
    "not UTF-8": b'{"image": "eA==", "model": "\xff\xfe"}',
    "nested 200 deep": b'{"image": "eA==", "prompt": ' + b"[" * 200 + b"]" * 200 + b"}",
    "opened 5000 times": b'{"prompt": ' + b"[" * 5000,
    "a form": b"prompt=make+it+warm&image=eA%3D%3D",
    "a comma too many": b'{"prompt": "make it warm",}',
    "two objects": b'{"prompt": "x"}{"image": "eA=="}',
    "a null byte": b"\0",
}


def _no_json() -> st.SearchStrategy[dict[str, Any]]:
    cuts = st.integers(0, len(_whole()) - 1).map(lambda size: {"cut": size})
    noise = st.binary(max_size=40).map(lambda body: {"latin-1": body.decode("latin-1")})
    return st.one_of(cuts, noise)


def _whole() -> bytes:
    return json.dumps({"image": "eA==", "prompt": "make it \u00e9 warm", "safe_mode": True}).encode()


@check("EDIT-HTTP-006", witnesses=list(_NO_JSON), strategy=lambda _facts: _no_json())
def what_is_no_json_is_refused(probe: Probe, value: str | dict[str, Any]) -> None:
    """400 and a JSON object, whatever the body is instead."""
    if isinstance(value, str):
        body = _NO_JSON[value]
    elif "cut" in value:
        body = _whole()[: value["cut"]]
    else:
        body = value["latin-1"].encode("latin-1")
    reply = probe.refused(probe.send(json_request(body), caller=probe.key()))
    object_at(json_of(reply))


@check("EDIT-HTTP-007", witnesses=([{"prompt": "make it warm"}], "text", 5, None, True))
def json_that_is_no_object_is_refused(probe: Probe, value: Any) -> None:
    """400 for a list, a string, a number, null and true."""
    probe.refused(probe.send(json_request(json.dumps(value).encode()), caller=probe.key()))


@check("EDIT-HTTP-007", witnesses=(1, 2))
def a_list_of_whole_requests_is_refused(probe: Probe, count: int) -> None:
    """400 for good requests that stand in a list: edits come one by one."""
    body = json.dumps([probe.good()] * count).encode()
    price = count * probe.facts.price(probe.good())
    probe.refused(probe.send(json_request(body), caller=probe.key(), price=price))


@check("EDIT-HTTP-019")
def a_body_that_is_no_json_gets_one_sentence(probe: Probe, _value: None) -> None:
    """The whole body is that sentence under ``error``."""
    reply = probe.unmasked(probe.send(json_request(_NO_JSON["cut in the middle"]), caller=probe.key()))
    equal(json_of(reply), {"error": probe.facts.edition.messages.invalid_json}, "the body")


# --- broken forms -------------------------------------------------------------------------------------------

_BROKEN_FORMS = (
    "no terminator", "no boundary named", "cut in a header", "another boundary", "a part without a name",
    "a part without a disposition", "empty", "no form at all",
)  # fmt: skip


def _cut_forms(_facts: Facts) -> st.SearchStrategy[dict[str, int]]:
    return st.integers(0, 400).map(lambda size: {"cut": size})


@check("EDIT-HTTP-008", witnesses=_BROKEN_FORMS, strategy=_cut_forms)
def a_broken_form_is_refused(probe: Probe, value: str | dict[str, int]) -> None:
    """A 4xx comes, and comes in time."""
    whole = probe.form_of(probe.good())
    body, content_type = whole.body, whole.header("content-type") or ""
    end = b"--venice-contract-form--\r\n"
    if isinstance(value, dict):
        body = body[: min(value["cut"], len(body) - 3)]  # before the last hyphen
    broken = {
        "no terminator": body.removesuffix(end),
        "cut in a header": body[:40],
        "a part without a name": body.replace(b'; name="prompt"', b""),
        "a part without a disposition": body.replace(b"Content-Disposition: form-data", b"X-Nothing: here"),
        "empty": b"",
        "no form at all": bytes(range(256)) * 8,
    }
    types = {
        "no boundary named": "multipart/form-data",
        "another boundary": "multipart/form-data; boundary=another",
    }
    if isinstance(value, str):
        body, content_type = broken.get(value, body), types.get(value, content_type)
    request = Request("POST", whole.path, (("Content-Type", content_type),), body)
    reply = probe.unmasked(probe.send(request, caller=probe.key()))
    expect(400 <= reply.status < 500, f"answered {reply.status}, expected a 4xx")


# --- keys and types -----------------------------------------------------------------------------------------


def unknown_keys(facts: Facts) -> list[str]:
    """Keys that people try and this edition does not have, those of later editions among them."""
    keys = ["format", *_LATER_KEYS, *_FOREIGN_KEYS]
    return [key for key in dict.fromkeys(keys) if key not in facts.edition.fields.known]


def _any_keys(facts: Facts) -> st.SearchStrategy[str]:
    known = {*facts.edition.fields.known, "quality"}
    near = st.sampled_from(sorted(known)).flatmap(
        lambda name: st.sampled_from([name.upper(), name + "s", " " + name, name.replace("_", "")])
    )
    return st.one_of(near, st.text(max_size=20)).filter(lambda key: key not in known)


@check("EDIT-HTTP-009", witnesses=unknown_keys, strategy=_any_keys)
def an_unknown_key_is_refused(probe: Probe, key: str) -> None:
    """One key more than the edition knows, and nothing else wrong."""
    probe.refused(probe.edit(probe.good() | {key: _FOREIGN_KEYS.get(key, True)}))


def wrong_types(facts: Facts) -> list[list[Any]]:
    """Each field with each type that it does not have; the traps of convincing values first."""
    first: list[list[Any]] = [["safe_mode", 0], ["prompt", 5], ["resolution", None]]
    others: list[list[Any]] = []
    for name in facts.edition.fields.known:
        wrong = (1, "true", None, ["x"], {}) if name in _BOOLEANS else (5, True, None, ["x"], {"x": 1})
        others += [[name, value] for value in wrong]
    return first + [case for case in others if case not in first]


def _any_wrong_types(facts: Facts) -> st.SearchStrategy[list[Any]]:
    numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
    inner = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=5))
    nested = st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2))
    no_text = st.one_of(st.none(), st.booleans(), numbers, nested)
    no_boolean = st.one_of(st.none(), numbers, st.text(max_size=5), nested)
    return st.sampled_from(facts.edition.fields.known).flatmap(
        lambda name: (no_boolean if name in _BOOLEANS else no_text).map(lambda value: [name, value])
    )


@check("EDIT-HTTP-010", witnesses=wrong_types, strategy=_any_wrong_types)
def a_wrong_type_is_refused_and_never_converted(probe: Probe, case: list[Any]) -> None:
    """One field of one wrong JSON type, in an else good request."""
    name, value = case
    fields = probe.good(modelId=value) if name == "modelId" else probe.good() | {name: value}
    probe.refused(probe.edit(fields))


@check("EDIT-HTTP-011", witnesses=("true", "false"))
def true_and_false_are_booleans_in_a_form(probe: Probe, word: str) -> None:
    """They change nothing in the answer, here to an unknown model."""
    plain = probe.form_of(probe.good(model=UNKNOWN_MODEL))
    said = probe.form_of(probe.good(model=UNKNOWN_MODEL, safe_mode=word))
    same_answer(probe, said, plain, f"with safe_mode {word}")


@check("EDIT-HTTP-011", witnesses=("maybe", "truefalse"))
def another_word_is_no_boolean_in_a_form(probe: Probe, word: str) -> None:
    """400 for a word that spells no boolean in any language."""
    probe.refused(probe.edit(probe.good(safe_mode=word), form=True))


@check("EDIT-HTTP-012", witnesses=("1", "0", "True", "yes", "", "FALSE", "on"))
def other_spellings_of_booleans_are_recorded(probe: Probe, word: str) -> None:
    """Whether such a word passes shows in what is answered to an unknown model."""
    fields = probe.good(model=UNKNOWN_MODEL)
    plain = probe.unmasked(probe.edit(fields, form=True))
    reply = probe.unmasked(probe.edit(fields | {"safe_mode": word}, form=True))
    expect(reply.status < 500, f"safe_mode {word!r} is answered {reply.status}")
    passed = "passes" if reply.status == plain.status else f"is answered {reply.status}"
    probe.note(f"safe_mode {word!r} in a form {passed}")


@check(
    "EDIT-HTTP-013",
    witnesses=[
        [encoding, first, second]
        for encoding in ("json", "form")
        for first, second in (("auto", "wrong"), ("wrong", "auto"))
    ],
)
def a_name_given_twice_is_recorded(probe: Probe, value: tuple[str, str, str]) -> None:
    """A valid and an invalid aspect_ratio in both orders; the model is unknown, so nothing succeeds."""
    encoding, first, second = value
    fields = probe.good(model=UNKNOWN_MODEL)
    plain = probe.unmasked(probe.edit(fields))
    if encoding == "json":
        twice = json.dumps(fields)[:-1] + f', "aspect_ratio": "{first}", "aspect_ratio": "{second}"}}'
        request = json_request(twice.encode())
    else:
        parts = [Part("image", probe.picture(), "picture.png", "image/png")]
        parts += [Part(name, str(fields[name]).encode()) for name in ("model", "prompt")]
        request = form_request([*parts, *(Part("aspect_ratio", word.encode()) for word in (first, second))])
    reply = probe.unmasked(probe.send(request, caller=probe.key()))
    expect(reply.status in (400, plain.status), f"{first}, then {second} in {encoding}: {reply.status}")
    taken = "passes" if reply.status == plain.status else "is refused"
    probe.note(f"aspect_ratio {first}, then {second} as {encoding} {taken}")


# --- hostile values -----------------------------------------------------------------------------------------

_HOSTILE: tuple[dict[str, Any], ...] = (
    {"model": "__proto__"},
    {"prompt": "\ud800"},
    {"prompt": "\0"},
    {"aspect_ratio": "0:0"},
    {"output_format": "../../etc/passwd"},
    {"resolution": "\0"},
    {"modelId": "constructor"},
    {"prompt": {"$gt": ""}},
    {"safe_mode": 10**400},
    {"model": "\U0001f600" * 400},
    {"image": "http://["},
    {"image": "http://\0"},
    {"image": "data:,"},
    {"image": "data:image/png;base64,!!!!"},
    {"image": "===="},
    {"image": "iVBORw0KGgo="},
    {"__proto__": {"model": 1}},
    {"x" * 5000: 1},
)


def _hostile_fields(facts: Facts) -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20), st.sampled_from(["\ud800", "\0", "__proto__", "0:0", "data:,", "http://[", "1e999"]),
    )  # fmt: skip
    values = st.recursive(
        leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
    )
    names = st.one_of(st.sampled_from(facts.edition.fields.known), st.text(max_size=10))
    return st.dictionaries(names, values, min_size=1, max_size=4)


@check("EDIT-HTTP-017", witnesses=_HOSTILE, strategy=_hostile_fields)
def hostile_values_are_refused_and_break_nothing(probe: Probe, changes: dict[str, Any]) -> None:
    """A value made to confuse, in a request that is refused for its model if for nothing else."""
    fields = probe.good(model=UNKNOWN_MODEL) | changes
    if "image" in changes:
        fields["model"] = changes.get("model", probe.facts.cheapest().id)  # so that the picture is looked at
    _no_5xx(probe, json_request(fields))


def _no_5xx(probe: Probe, request: Request) -> Reply:
    reply = probe.unmasked(probe.send(request, caller=probe.key()))
    expect(reply.status < 500, f"answered {reply.status}")
    return reply
