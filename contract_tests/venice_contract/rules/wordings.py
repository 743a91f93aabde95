"""Checks of the group ``response`` about how each kind of fault is worded: message and issue.

Each looks at ``details`` and at ``issues``, as far as they are told; that they are is another rule's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.requests import Kind, OneFault
from venice_contract.rules.faults import (
    PROMPT,
    ROOT,
    UNKNOWN_KEYS,
    Told,
    any_fault,
    model_faults,
    place_of,
    read_fault,
    refusal,
    single_faults,
    told_by,
)

_Fault = str | dict[str, Any]


def _named(*kinds: Kind) -> Any:
    """The names of the single faults of these kinds."""
    return lambda facts: [name for name, fault in single_faults(facts).items() if fault.kind in kinds]


def _drawn(*kinds: Kind) -> Any:
    return lambda facts: any_fault(facts, kinds)


def _told(probe: Probe, fault: OneFault) -> Told:
    told = told_by(refusal(probe, fault))
    if told.messages(place_of(fault)) is None and told.issues is None:
        raise NotApplicable("neither details nor issues are told, which other rules judge")
    return told


def _is_told(
    told: Told, place: str, message: str | None, issue: dict[str, Any], *, whole: bool = True
) -> None:
    """The message is that, and one issue at ``place`` has these members, and no others when ``whole``.

    ``message`` None: any will do.
    """
    messages = told.messages(place)
    if message is not None and messages is not None:
        equal(messages, [message], f"the list of messages for {place}")
    found = told.of(place)
    if found is None:
        return
    expect(len(found) == 1, f"{len(found)} issues have the path of {place}, expected one")
    wanted = (
        issue | {"path": [] if place == ROOT else [place]} | ({} if message is None else {"message": message})
    )
    seen = found[0] if whole else {name: found[0].get(name) for name in wanted}
    equal(seen, wanted, "the issue")


# --- missing, and of a wrong type ---------------------------------------------------------------------------


@check("EDIT-ERR-006", witnesses=("no prompt", "no image"))
def a_missing_field_is_required(probe: Probe, name: str) -> None:
    """``Required``, as a value of no type where one was expected."""
    fault = read_fault(probe.facts, name)
    message = probe.facts.edition.messages.required
    issue = {"code": "invalid_type", "expected": "string", "received": "undefined"}
    if fault.field == "image":  # which may be a file too: what is expected then is nobody's promise
        _is_told(_told(probe, fault), fault.field, message, {"code": "invalid_type"}, whole=False)
    else:
        _is_told(_told(probe, fault), fault.field, message, issue)


_WRONG_TYPES: tuple[list[Any], ...] = (
    ["prompt", 5], ["safe_mode", "maybe"], ["prompt", None], ["prompt", True], ["prompt", []], ["prompt", {}],
    ["model", 1.5], ["safe_mode", 0], ["safe_mode", None], ["resolution", ["1K"]],
)  # fmt: skip


def _any_wrong_type(_facts: Facts) -> st.SearchStrategy[list[Any]]:
    numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
    nested = st.one_of(
        st.lists(numbers, max_size=2), st.dictionaries(st.text(max_size=3), numbers, max_size=2)
    )
    no_text = st.one_of(st.none(), st.booleans(), numbers, nested)
    no_boolean = st.one_of(st.none(), st.text(max_size=5), numbers, nested)
    texts = st.sampled_from(["prompt", "model", "resolution"])
    return st.one_of(
        st.tuples(texts, no_text).map(list), st.tuples(st.just("safe_mode"), no_boolean).map(list)
    )


def _type_of(value: Any) -> str:
    """The type's name in JavaScript, where null and lists have names of their own."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


@check("EDIT-ERR-007", witnesses=_WRONG_TYPES, strategy=_any_wrong_type)
def a_wrong_type_is_told_with_the_right_one(probe: Probe, case: Sequence[Any]) -> None:
    """``Expected A, received B``, and both in the issue."""
    field, value = case
    fields = {"model": probe.facts.cheapest().id, "prompt": PROMPT, field: value}
    expected, received = "boolean" if field == "safe_mode" else "string", _type_of(value)
    message = probe.facts.edition.messages.wrong_type.format(expected=expected, received=received)
    issue = {"code": "invalid_type", "expected": expected, "received": received}
    _is_told(_told(probe, OneFault(fields, field, "wrong-type")), field, message, issue)


# --- too short, too long, not in a list ---------------------------------------------------------------------


@check("EDIT-ERR-008", witnesses=("prompt", "model", "resolution"))
def an_empty_text_has_too_few_characters(probe: Probe, field: str) -> None:
    """The sentence says how many it needs, the issue with which kind of limit."""
    fields = {"model": probe.facts.cheapest().id, "prompt": PROMPT, field: ""}
    message = probe.facts.edition.messages.too_small.format(minimum=1)
    issue = {"code": "too_small", "minimum": 1, "type": "string", "inclusive": True, "exact": False}
    _is_told(_told(probe, OneFault(fields, field, "empty")), field, message, issue)


@check("EDIT-ERR-009", witnesses=_named("too-long"), strategy=_drawn("too-long"))
def a_text_too_long_has_too_many_characters(probe: Probe, value: _Fault) -> None:
    """The sentence and the issue say how many are allowed."""
    fault, limits = read_fault(probe.facts, value), probe.facts.edition.limits
    most = limits.prompt_max if fault.field == "prompt" else limits.resolution_max
    message = probe.facts.edition.messages.too_big.format(maximum=most)
    _is_told(_told(probe, fault), fault.field, message, {"code": "too_big", "maximum": most}, whole=False)


def _unlisted(_facts: Facts) -> st.SearchStrategy[list[str]]:
    others = st.sampled_from(["4:3", "5:4", "16x9", " 16:9", "AUTO", "61", "", "it's", "a\nb"])
    return others.map(lambda value: ["aspect_ratio", value])


@check(
    "EDIT-ERR-010",
    witnesses=(
        ["aspect_ratio", "107:60"],
        ["aspect_ratio", ""],
        ["output_format", "gif"],
        ["modelId", "nope"],
    ),
    strategy=_unlisted,
)
def a_value_of_no_list_is_told_with_the_list(probe: Probe, case: Sequence[str]) -> None:
    """The sentence quotes the options and what came, the issue has both."""
    field, value = case
    known = probe.facts.edition.fields
    options = {
        "aspect_ratio": known.aspect_ratios, "output_format": known.output_formats, "modelId": known.model_ids
    }[field]  # fmt: skip
    fields = {"prompt": PROMPT, field: value}
    if field != "modelId":
        fields["model"] = probe.facts.cheapest().id
    listed = " | ".join(f"'{option}'" for option in options)
    message = probe.facts.edition.messages.invalid_enum.format(options=listed, received=f"'{value}'")
    issue = {"code": "invalid_enum_value", "received": value, "options": list(options)}
    _is_told(_told(probe, OneFault(fields, field, "not-in-list")), field, message, issue)


# --- unknown keys, and what only the model refuses ----------------------------------------------------------


@check("EDIT-ERR-011", witnesses=([UNKNOWN_KEYS[0]], list(UNKNOWN_KEYS)))
def unknown_keys_are_told_together_at_the_root(probe: Probe, keys: Sequence[str]) -> None:
    """One sentence with the quoted names, one issue without a path."""
    fields = {"model": probe.facts.cheapest().id, "prompt": PROMPT, **dict.fromkeys(keys, 1)}
    quoted = ", ".join(f"'{key}'" for key in keys)
    message = probe.facts.edition.messages.unrecognized_keys.format(keys=quoted)
    issue = {"code": "unrecognized_keys", "keys": list(keys)}
    _is_told(_told(probe, OneFault(fields, keys[0], "unknown-key")), ROOT, message, issue)


@check(
    "EDIT-ERR-012",
    witnesses=lambda facts: list(model_faults(facts)),
    strategy=_drawn("unlisted-ratio", "unlisted-tier", "over-limit"),
)
def what_only_the_model_refuses_is_custom(probe: Probe, value: _Fault) -> None:
    """An issue of code ``custom`` whose path is the field."""
    fault = read_fault(probe.facts, value)
    _is_told(_told(probe, fault), fault.field, None, {"code": "custom"}, whole=False)
