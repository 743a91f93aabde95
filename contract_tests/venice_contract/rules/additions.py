"""Checks of the group ``additions-2026-08``: the two keys that came with that edition.

How many pictures a model takes, which came with it too, is a matter of the listing.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from hypothesis import strategies as st

from venice_contract.judging.callers import Key
from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, expect, fail
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import NotAPicture, same_pixels
from venice_contract.pictures.prompts import plain_prompts, prompts
from venice_contract.rules.transport import UNKNOWN_MODEL, same_answer
from venice_contract.wire.message import Reply, json_request
from venice_mock.contract import available_editions

_ENHANCE, _SKIP = "enhance_prompt", "disable_prompt_optimization_thinking"
_NO_BOOLEANS: tuple[Any, ...] = (1, 0, "true", None, [True], {})
_ENCODED = re.compile(r"[A-Za-z0-9\-_.!~*'()+]*(%[0-9A-Fa-f]{2}[A-Za-z0-9\-_.!~*'()+]*)*")


def _no_booleans(_facts: Facts) -> st.SearchStrategy[Any]:
    numbers = st.one_of(st.integers(-2, 2), st.floats(allow_nan=False, allow_infinity=False))
    return st.one_of(st.none(), numbers, st.text(max_size=6), st.lists(st.booleans(), max_size=2))


def _accepted(probe: Probe, name: str, value: bool) -> None:
    """A request with the key is judged as one without it: here both are to a model that is unknown."""
    fields = probe.good(model=UNKNOWN_MODEL)
    same_answer(probe, json_request(fields | {name: value}), json_request(fields), f"with {name}")
    same_answer(probe, probe.form_of(fields | {name: value}), probe.form_of(fields), f"with {name} in a form")


def _unknown_before(probe: Probe, name: str) -> None:
    """On a mock of each earlier edition the key is refused."""
    earlier = [edition for edition in available_editions() if edition < probe.facts.edition.edition]
    if not earlier:
        raise NotApplicable("no earlier edition is known")
    for edition in earlier:
        before = probe.session(edition=edition)
        for value in (True, False):
            before.refused(before.edit(before.good(model=...) | {name: value}))


# --- enhance_prompt -----------------------------------------------------------------------------------------


@check("EDIT-ENH-001", witnesses=(True, False))
def enhancing_can_be_asked_for(probe: Probe, value: bool) -> None:
    """True and false, in JSON and in a form, are nothing that is refused."""
    _accepted(probe, _ENHANCE, value)


@check("EDIT-ENH-001", witnesses=_NO_BOOLEANS, strategy=_no_booleans)
def enhancing_is_asked_for_with_a_boolean(probe: Probe, value: Any) -> None:
    """400 for whatever else might be meant as one."""
    probe.refused(probe.edit(probe.good() | {_ENHANCE: value}))


@check("EDIT-ENH-001")
def earlier_editions_do_not_know_enhancing(probe: Probe, _value: None) -> None:
    """400, as for any unknown key."""
    _unknown_before(probe, _ENHANCE)


@check("EDIT-ENH-001")
def without_a_word_nothing_is_enhanced(probe: Probe, _value: None) -> None:
    """On a mock, where it can be seen for nothing: absent is as false."""
    quick = probe.session(engine="fast")
    absent, false = quick.edit(quick.good()), quick.edit(quick.good(enhance_prompt=False))
    name = probe.facts.edition.headers["enhanced_prompt"]
    equal(quick.succeeds(absent).header(name), quick.succeeds(false).header(name), name)
    try:
        same = same_pixels(absent.body, false.body)
    except NotAPicture as bad:
        fail(f"the answer is no picture: {bad}")
    expect(same, "without enhance_prompt another picture comes than with enhance_prompt false")


def _rewriting(facts: Facts, fields: dict[str, Any]) -> Decimal:
    """USD of two edits, one of them with a rewrite at most."""
    plain = {"model": facts.cheapest().id}
    return facts.price(plain) + facts.price(plain | fields)


def _balance(probe: Probe, key: Key, reply: Reply) -> Decimal:
    """USD that are left after an edit: as a mock's books have it, else as the answer tells it."""
    if probe.steerable:
        return probe.balance_of(key)
    told = reply.header(probe.facts.edition.headers["balance_usd"])
    if told is None or not re.fullmatch(r"-?\d+(\.\d+)?", told):
        raise NotApplicable("the server does not tell what an edit costs")
    return Decimal(told)


def _rewrite_of(probe: Probe, fields: dict[str, Any]) -> str | None:
    """The rewritten prompt of an edit, None when there is none; what it costs is judged on the way."""
    key = probe.key()
    before = _balance(probe, key, probe.succeeds(probe.edit(probe.good(), caller=key)))
    asked = probe.good(**fields)
    reply = probe.succeeds(probe.edit(asked, caller=key))
    cost = before - _balance(probe, key, reply)
    name, added = probe.facts.edition.headers["enhanced_prompt"], Decimal(0)
    written = reply.header(name)
    if written is not None and probe.facts.edition.enhancement is not None:
        added = probe.facts.edition.enhancement.surcharge_usd
    wanted = probe.facts.price({"model": asked["model"]}) + added
    told = "with" if written is not None else "without"
    expect(cost == wanted, f"an edit {told} a rewritten prompt costs {cost.normalize():f}, expected {wanted}")
    if written is None:
        return None
    expect(
        bool(written) and _ENCODED.fullmatch(written) is not None, f"{name} is not URL-encoded: {written!a}"
    )
    try:
        return unquote(written, errors="strict")
    except UnicodeDecodeError:
        fail(f"{name} is not UTF-8 once it is decoded: {written!a}")


def _asking(facts: Facts) -> st.SearchStrategy[dict[str, Any]]:
    words = st.one_of(plain_prompts(), prompts(facts.edition.words, most=120, controls=False))
    return st.fixed_dictionaries({"prompt": words}, optional={_ENHANCE: st.booleans()})


@check(
    "EDIT-ENH-002",
    witnesses=(
        {_ENHANCE: True},
        {_ENHANCE: True, "prompt": "a\u00f1ade un \u00e1rbol \U0001f333 & 50 % m\u00e1s"},
        {_ENHANCE: True, "prompt": "make it warm, " * 40},
        {_ENHANCE: False},
        {},
    ),
    strategy=_asking,
    spends=_rewriting,
)
def a_rewrite_is_told_and_charged(probe: Probe, fields: dict[str, Any]) -> None:
    """Both or neither; and never where it was not asked for."""
    rewritten = _rewrite_of(probe, fields)
    prompt = fields.get("prompt", "make it warm")
    if fields.get(_ENHANCE) is not True:
        expect(rewritten is None, f"no rewrite was asked for, and one was made: {rewritten!a}")
    elif rewritten is not None:
        expect(rewritten.strip() not in ("", prompt.strip()), f"the prompt was not rewritten: {rewritten!a}")


@check("EDIT-ENH-002", spends=lambda facts, _value: _rewriting(facts, {_ENHANCE: True}))
def a_mock_rewrites_a_short_prompt(probe: Probe, _value: None) -> None:
    """What it tells still holds the words that were sent."""
    if not probe.steerable:
        raise NotApplicable("when another server rewrites is its own affair")
    rewritten = _rewrite_of(probe, {_ENHANCE: True, "prompt": "a caf\u00e9 at night"})
    expect(rewritten is not None, "a short prompt was not rewritten, although it was asked for")
    expect("a caf\u00e9 at night" in str(rewritten), f"the rewrite does not hold the prompt: {rewritten!a}")


# --- disable_prompt_optimization_thinking -------------------------------------------------------------------


@check("EDIT-OPT-001", witnesses=(True, False))
def thinking_can_be_disabled(probe: Probe, value: bool) -> None:
    """True and false, in JSON and in a form, are nothing that is refused."""
    _accepted(probe, _SKIP, value)


@check("EDIT-OPT-001", witnesses=_NO_BOOLEANS, strategy=_no_booleans)
def thinking_is_disabled_with_a_boolean(probe: Probe, value: Any) -> None:
    """400 for whatever else might be meant as one."""
    probe.refused(probe.edit(probe.good() | {_SKIP: value}))


@check("EDIT-OPT-001")
def earlier_editions_do_not_know_thinking(probe: Probe, _value: None) -> None:
    """400, as for any unknown key."""
    _unknown_before(probe, _SKIP)


@check(
    "EDIT-OPT-001",
    witnesses=[[supported, value] for supported in (False, True) for value in (True, False)],
)
def without_use_for_it_nothing_changes(probe: Probe, case: tuple[bool, bool]) -> None:
    """On a mock: a model that does not list support gives the same picture; one that does takes the key too."""
    supported, value = case
    model = probe.facts.cheapest().id
    listed = {model: {"supports_optimize_prompt_thinking": supported}}
    quick = probe.session(engine="fast", models=listed)
    plain = quick.succeeds(quick.edit(quick.good(model=model)))
    reply = quick.succeeds(quick.edit(quick.good(model=model, **{_SKIP: value})))
    expect(
        supported or reply.body == plain.body, f"{_SKIP} changes what {model} makes, which has no use for it"
    )
