"""Checks of the group ``prompt``: its length and what may stand in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect, faults_told
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.prompts import prompts, prompts_of_length
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.transport import UNKNOWN_MODEL
from venice_contract.wire.message import Reply

_TOO_SMALL = Picture(8, 8)  # refused after the prompt was looked at, in a request to a model that exists


@check("EDIT-PRM-001", witnesses=("json", "form"))
def a_prompt_is_required(probe: Probe, encoding: str) -> None:
    """Without one: 400, at fault is the prompt."""
    reply = probe.refused(probe.edit(probe.good(prompt=...), form=encoding == "form"))
    named = faults_told(reply)
    if named is not None:
        expect("prompt" in named, f"the details name {sorted(named)} and not prompt")


@check("EDIT-PRM-002")
def an_empty_prompt_is_refused(probe: Probe, _value: None) -> None:
    """400 for no character at all."""
    probe.refused(probe.edit(probe.good(prompt="")))


@check("EDIT-PRM-002", witnesses=("x", "\u4e2d"))
def one_character_is_a_prompt(probe: Probe, prompt: str) -> None:
    """It is judged as any other prompt is."""
    _like_any_other(probe, prompt, {"model": UNKNOWN_MODEL})


def _like_any_other(probe: Probe, prompt: str, changes: dict[str, Any]) -> None:
    """The answer, a refusal for another reason, is the one that an ordinary prompt gets."""
    usual = probe.unmasked(probe.edit(probe.good(**changes)))
    reply = probe.unmasked(probe.edit(probe.good(prompt=prompt, **changes)))
    what = f"with a prompt of {len(prompt)} characters"
    equal(reply.status, usual.status, f"the status {what}")
    equal(error_text(reply), error_text(usual), f"the error {what}")


# --- the limit of the schema --------------------------------------------------------------------------------


def patient_model(facts: Facts) -> str:
    """The cheapest model that leaves the limit to the schema; where none does, any."""
    longest = facts.edition.limits.prompt_max
    patient = [m for m in facts.models if m.constraints and m.constraints.prompt_character_limit >= longest]
    return facts.cheapest(patient or None).id


@check("EDIT-PRM-003")
def a_prompt_over_thelimit_of_all_models_is_refused(probe: Probe, _value: None) -> None:
    """400 on a model that allows the most; the mock refuses it before it looks for a model at all."""
    longest = probe.facts.edition.limits.prompt_max
    model = UNKNOWN_MODEL if probe.steerable else patient_model(probe.facts)
    probe.refused(probe.edit(probe.good(model=model, prompt="x" * (longest + 1))))


@check("EDIT-PRM-003")
def a_prompt_of_the_largest_size_passes_the_schema(probe: Probe, _value: None) -> None:
    """It is judged as any other prompt is, where there is no model to have a limit of its own."""
    _like_any_other(probe, "x" * probe.facts.edition.limits.prompt_max, {"model": UNKNOWN_MODEL})


# --- the limit of a model -----------------------------------------------------------------------------------


def limit_of(facts: Facts, model_id: str) -> int:
    """The most characters that this model takes."""
    limits = facts.model(model_id).constraints
    return 0 if limits is None else limits.prompt_character_limit


def models_by_limit(facts: Facts) -> list[str]:
    """One model for each limit below the schema's, the cheapest first; then the others."""
    short = [m.id for m in facts.models if limit_of(facts, m.id) < facts.edition.limits.prompt_max]
    first = {limit_of(facts, model): model for model in reversed(short)}
    chosen = sorted(first.values(), key=lambda model: facts.price({"model": model}))
    return [*chosen, *(model for model in short if model not in chosen)]


@check("EDIT-PRM-004", witnesses=models_by_limit)
def a_prompt_over_the_models_limit_is_refused(probe: Probe, model: str) -> None:
    """400 for one character more than the catalogue allows."""
    limit = limit_of(probe.facts, model)
    probe.refused(probe.edit(_asking(probe, model, "x" * (limit + 1))))


@check("EDIT-PRM-004", witnesses=models_by_limit)
def a_prompt_of_the_models_limit_is_accepted(probe: Probe, model: str) -> None:
    """It is judged as any other prompt is, here with a picture that is too small."""
    limit = limit_of(probe.facts, model)
    asked = _asking(probe, model, "make it warm") | {"image": _TOO_SMALL}
    _like_any_other(probe, "x" * limit, {name: asked[name] for name in asked if name != "prompt"})


def _asking(probe: Probe, model: str, prompt: str) -> dict[str, Any]:
    """A good request to that model, in a tier that it has."""
    spec = probe.facts.model(model)
    if probe.facts.takes_default_tier(spec) or spec.constraints is None:
        return probe.good(model=model, prompt=prompt)
    return probe.good(model=model, prompt=prompt, resolution=spec.constraints.resolutions[0])


@check("EDIT-PRM-005", witnesses=("an emoji at the end", "a blank at the end", "a blank at the beginning"))
def how_length_is_counted_is_recorded(probe: Probe, kind: str) -> None:
    """Whether code points or UTF-16 units count, and whether blanks do."""
    model = models_by_limit(probe.facts)[0]
    limit = limit_of(probe.facts, model)
    text = {
        "an emoji at the end": "x" * (limit - 1) + "\U0001f600",
        "a blank at the end": "x" * limit + " ",
        "a blank at the beginning": " " + "x" * limit,
    }[kind]
    reply = _with_a_small_picture(probe, model, text)
    probe.note(f"a prompt at the limit with {kind} {_told_of_prompt(reply)}")


@check("EDIT-PRM-007", witnesses=(" ", "\n"))
def a_blank_prompt_is_recorded(probe: Probe, prompt: str) -> None:
    """Whether blanks alone are a prompt."""
    reply = _with_a_small_picture(probe, probe.facts.cheapest().id, prompt)
    expect(reply.status == 400, f"a blank prompt with a picture that is too small is answered {reply.status}")
    probe.note(f"the prompt {prompt!r} {_told_of_prompt(reply)}")


def _with_a_small_picture(probe: Probe, model: str, prompt: str) -> Reply:
    reply = probe.unmasked(
        probe.edit(_asking(probe, model, prompt) | {"image": probe.image_text(_TOO_SMALL)})
    )
    expect(reply.status < 500, f"answered {reply.status}")
    return reply


def _told_of_prompt(reply: Reply) -> str:
    return "is refused" if "prompt" in (faults_told(reply) or ()) else "passes"


# --- what may stand in a prompt -----------------------------------------------------------------------------

_SCRIPTS = (
    "e\u0301\u0323 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u4e2d\u6587 \ud55c\uad6d "
    "\U0001f469\U0001f3fd\u200d\U0001f680 \U0001f1ea\U0001f1fa \u202ertl \U00020000",
    'quotes " and \\ and & and % and + and = and < and { and \' and --venice',
    "first line\nsecond line\r\nthird\tline\x1b[31m\x7f\x85\u2028 end",
    "\ufeffcaf\u00e9 stra\u00dfe \u0130stanbul \ufb01n",
)  # fmt: skip


def _any_script(facts: Facts) -> st.SearchStrategy[str]:
    shortest = min((m.constraints.prompt_character_limit for m in facts.models if m.constraints), default=4)
    words = facts.edition.words
    at_limit = prompts_of_length(words, max(4, min(shortest, 400)), astral=True)
    return st.one_of(prompts(words), at_limit)


@check("EDIT-PRM-006", witnesses=_SCRIPTS, strategy=_any_script, spends=2)
def text_of_any_script_arrives(probe: Probe, prompt: str) -> None:
    """No 5xx, and the same answer to JSON and to a form; a mock draws the same picture for the same words."""
    as_json = probe.unmasked(probe.edit(probe.good(prompt=prompt)))
    as_form = probe.unmasked(probe.edit(probe.good(prompt=prompt), form=True))
    expect(as_json.status < 500 and as_form.status < 500, f"answered {as_json.status} and {as_form.status}")
    equal(as_form.status, as_json.status, "the status of the form")
    if probe.steerable:
        expect(as_form.body == as_json.body, "the form's picture is another one: the words arrived otherwise")


@check("EDIT-PRM-006", witnesses=("a\0b", "a\ud800b", "\udfff"), spends=2)
def what_no_text_should_hold_is_recorded(probe: Probe, prompt: str) -> None:
    """NUL and surrogates that stand alone cause no 5xx; what else happens is only noted."""
    for encoding in ("JSON", "a form"):
        reply = probe.unmasked(probe.edit(probe.good(prompt=prompt), form=encoding == "a form"))
        expect(reply.status < 500, f"{prompt!a} in {encoding} is answered {reply.status}")
        probe.note(f"the prompt {prompt!a} in {encoding} is answered {reply.status}")
