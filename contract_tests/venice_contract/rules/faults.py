"""Requests with one fault each, and what an answer tells of it: what the checks of errors share. No checks here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from venice_contract.judging.expect import NotApplicable
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.requests import KINDS, Kind, OneFault, faulty_requests
from venice_contract.rules.prompts import limit_of, models_by_limit, patient_model
from venice_contract.wire.message import BadReply, Reply

PROMPT = "make it warm"
UNKNOWN_KEYS = ("seed", "n")
ROOT = "_errors"  # where a fault of the whole object is told
_ELSEWHERE: tuple[Kind, ...] = ("unknown-model", "tierless-tier")  # not 400, or nobody's promise
SEARCHED = tuple(kind for kind in KINDS if kind not in _ELSEWHERE)


# --- what is asked ------------------------------------------------------------------------------------------


def single_faults(facts: Facts) -> dict[str, OneFault]:
    """By name, requests of one fault each; those that only the model refuses come last. Without the picture."""
    plain = {"model": facts.cheapest().id, "prompt": PROMPT}
    limits = facts.edition.limits
    long_prompt = {"model": patient_model(facts), "prompt": "x" * (limits.prompt_max + 1)}
    found = {
        "no prompt": OneFault({"model": plain["model"]}, "prompt", "missing"),
        "a number for prompt": OneFault(plain | {"prompt": 5}, "prompt", "wrong-type"),
        "a text for safe_mode": OneFault(plain | {"safe_mode": "maybe"}, "safe_mode", "wrong-type"),
        "an empty prompt": OneFault(plain | {"prompt": ""}, "prompt", "empty"),
        "a prompt too long": OneFault(long_prompt, "prompt", "too-long"),
        "a resolution too long": OneFault(
            plain | {"resolution": "K" * (limits.resolution_max + 1)}, "resolution", "too-long"
        ),
        "a ratio of no list": OneFault(plain | {"aspect_ratio": "107:60"}, "aspect_ratio", "not-in-list"),
        "a format of no list": OneFault(plain | {"output_format": "gif"}, "output_format", "not-in-list"),
        "an unknown key": OneFault(plain | {UNKNOWN_KEYS[0]: 1}, UNKNOWN_KEYS[0], "unknown-key"),
        "no image": OneFault(plain, "image", "missing"),
    }
    return found | model_faults(facts)


def model_faults(facts: Facts) -> dict[str, OneFault]:
    """Faults that the schema allows: a ratio, a tier and a prompt that one model does not take."""
    found = {}
    ratio = _cheapest(facts, unlisted_ratios)
    if ratio is not None:
        model, value = ratio
        found["a ratio that the model lacks"] = OneFault(
            {"model": model, "prompt": PROMPT, "aspect_ratio": value}, "aspect_ratio", "unlisted-ratio"
        )
    tier = _cheapest(facts, unlisted_tiers)
    if tier is not None:
        model, value = tier
        found["a tier that the model lacks"] = OneFault(
            {"model": model, "prompt": PROMPT, "resolution": value}, "resolution", "unlisted-tier"
        )
    for model in models_by_limit(facts)[:1]:
        prompt = "x" * (limit_of(facts, model) + 1)
        found["a prompt over the model's limit"] = OneFault(
            {"model": model, "prompt": prompt}, "prompt", "over-limit"
        )
    return found


def unlisted_ratios(facts: Facts, model_id: str) -> list[str]:
    """The ratios of the schema that this model refuses; none for one that does not look at them."""
    limits = facts.model(model_id).constraints
    if limits is None or limits.single_image_aspect_ratio is False:
        return []
    return [
        ratio for ratio in facts.edition.fields.aspect_ratios if ratio not in ("auto", *limits.aspect_ratios)
    ]


def unlisted_tiers(facts: Facts, model_id: str) -> list[str]:
    """The tiers that this model does not list although it lists some."""
    limits = facts.model(model_id).constraints
    if limits is None or not limits.resolutions:
        return []
    return [tier for tier in facts.edition.tiers.factors if tier not in limits.resolutions]


def _cheapest(facts: Facts, refused: Callable[[Facts, str], list[str]]) -> tuple[str, str] | None:
    """The cheapest model that refuses some value, with that value."""
    able = [model for model in facts.models if refused(facts, model.id) and facts.takes_default_tier(model)]
    if not able:
        return None
    model = facts.cheapest(able).id
    return model, refused(facts, model)[0]


def any_fault(facts: Facts, kinds: Sequence[Kind] = SEARCHED) -> st.SearchStrategy[dict[str, Any]]:
    """Requests of one fault of these kinds, as ``read_fault`` takes them."""
    drawn = faulty_requests(facts.edition, kinds=kinds, quality=False)
    return drawn.map(lambda fault: {"fields": fault.fields, "field": fault.field, "kind": fault.kind})


def read_fault(facts: Facts, value: str | dict[str, Any]) -> OneFault:
    """The fault of that name, or one that ``any_fault`` drew."""
    if isinstance(value, str):
        return single_faults(facts)[value]
    return OneFault(value["fields"], value["field"], value["kind"])


def asked(probe: Probe, fault: OneFault) -> dict[str, Any]:
    """The fields of the request, with a picture unless that is the fault."""
    return fault.fields | ({"image": probe.image_text()} if fault.takes_image else {})


# --- what is told -------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What a refusal tells: its ``details`` and ``issues``, each None where there are none of that shape."""

    details: dict[str, Any] | None
    issues: list[dict[str, Any]] | None

    def messages(self, field: str) -> list[Any] | None:
        """The messages for a field (``_errors``: the whole object); None where it is not named."""
        if self.details is None or field not in self.details:
            return None
        found = self.details[field]
        errors = found if field == ROOT else found.get("_errors") if isinstance(found, dict) else None
        return errors if isinstance(errors, list) and errors else None

    def of(self, field: str) -> list[dict[str, Any]] | None:
        """The issues whose path is that field; None where no issues are told."""
        path = [] if field == ROOT else [field]
        return None if self.issues is None else [issue for issue in self.issues if issue.get("path") == path]

    @property
    def fields(self) -> set[str]:
        """The fields that are named by details or by issues; ``_errors`` is the whole object."""
        named = {field for field in self.details or () if self.messages(field)}
        for issue in self.issues or ():
            path = issue.get("path")
            if isinstance(path, list):
                named.add(str(path[0]) if path else ROOT)
        return named


def refusal(probe: Probe, fault: OneFault, *, form: bool = False) -> Reply:
    """The 4xx to such a request. Raises NotApplicable where it is not refused, which other rules judge."""
    reply = probe.unmasked(probe.edit(asked(probe, fault), form=form))
    if not 400 <= reply.status < 500:
        raise NotApplicable(f"such a request is answered {reply.status}, which other rules judge")
    return reply


def told_by(reply: Reply) -> Told:
    """What the refusal tells, as far as it has the shape; other rules judge the shape."""
    try:
        body = reply.json()
    except BadReply:
        return Told(None, None)
    details = body.get("details") if isinstance(body, dict) else None
    issues = body.get("issues") if isinstance(body, dict) else None
    shaped = isinstance(issues, list) and all(isinstance(issue, dict) for issue in issues)
    return Told(details if isinstance(details, dict) else None, issues if shaped else None)


def place_of(fault: OneFault) -> str:
    """Where details name the fault."""
    return ROOT if fault.kind == "unknown-key" else fault.field
