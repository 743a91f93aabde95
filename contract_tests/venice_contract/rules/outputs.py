"""What the checks of ratios, tiers, formats and qualities share: whom they ask, and what they read in an answer.

No checks here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import Spends
from venice_contract.judging.expect import Broken, Masked, error_text, expect, faults_told
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import NotAPicture, probe_image
from venice_contract.pictures.recipe import Picture
from venice_contract.pictures.sizes import AUTO, Size, ratio_within
from venice_contract.wire.message import Reply
from venice_mock.contract import Constraints, ModelSpec

_TOO_SMALL = Picture(8, 8)  # refused by every model, after the other fields were looked at
PERCENT = 3  # how far the shape of an output may be from its ratio


# --- whom to ask --------------------------------------------------------------------------------------------


def limits_of(model: ModelSpec) -> Constraints:
    """What an edit model accepts."""
    if model.constraints is None:
        raise ValueError(f"{model.id} is no edit model")
    return model.constraints


def by_price(facts: Facts, models: Iterable[ModelSpec]) -> list[ModelSpec]:
    """The models, the cheapest first; those that refuse a plain request come last."""
    return sorted(
        models, key=lambda m: (not facts.takes_default_tier(m), facts.price(fields_for(facts, m.id)))
    )


def fields_for(facts: Facts, model: str, **more: Any) -> dict[str, Any]:
    """The model, and a tier where it must be named; then ``more``."""
    spec = facts.model(model)
    named = {} if facts.takes_default_tier(spec) else {"resolution": limits_of(spec).resolutions[0]}
    return {"model": model} | named | more


def shaping_models(facts: Facts) -> list[ModelSpec]:
    """The models whose outputs have a ratio of their own, not the input's size; the cheapest first."""
    return by_price(facts, [m for m in facts.models if limits_of(m).single_image_aspect_ratio is not False])


def inferring_models(facts: Facts) -> list[str]:
    """The cheapest model of each list of ratios to choose from, the cheapest first."""
    chosen: dict[tuple[str, ...], str] = {}
    for model in shaping_models(facts):
        listed = ratios_of(model)
        if listed:
            chosen.setdefault(tuple(listed), model.id)
    return list(chosen.values())


def free_models(facts: Facts) -> list[str]:
    """The models that list nothing but ``auto``."""
    return [model.id for model in shaping_models(facts) if not ratios_of(model)]


def ratios_of(model: ModelSpec) -> list[str]:
    """The ratios that a model lists, without ``auto``."""
    return [ratio for ratio in limits_of(model).aspect_ratios if ratio != AUTO]


def tiered_models(facts: Facts, tier: str) -> list[str]:
    """The models that list that tier, in the order of what it costs."""
    listing = [m.id for m in facts.models if tier in limits_of(m).resolutions]
    return sorted(listing, key=lambda model: facts.price({"model": model, "resolution": tier}))


def listed_tiers(facts: Facts) -> list[list[str]]:
    """Every [model, tier] of the catalogue: the cheapest of each tier, then the others."""
    pairs = [[model, tier] for tier in facts.edition.tiers.factors for model in tiered_models(facts, tier)]
    first = {tier: [model, tier] for model, tier in reversed(pairs)}
    front = [first[tier] for tier in facts.edition.tiers.factors if tier in first]
    return [*front, *(pair for pair in pairs if pair not in front)]


def spends_edits(edits: int) -> Spends:
    """So many edits with the model that a value begins with."""

    def spending(facts: Facts, value: Sequence[Any]) -> Decimal:
        return edits * facts.price(fields_for(facts, value[0]))

    return spending


def some_inferring_model(facts: Facts) -> st.SearchStrategy[str]:
    """One of ``inferring_models``."""
    return st.sampled_from(inferring_models(facts))


def usual_first(ratio: str) -> bool:
    """A key that sorts a lying, a standing and the square ratio before the others."""
    return ratio not in ("16:9", "2:3", "1:1")


# --- what came back -----------------------------------------------------------------------------------------


def size_of(reply: Reply) -> Size:
    """Width and height of the picture in a 200. Raises Masked where there is none: other rules judge that."""
    try:
        return probe_image(reply.body).size
    except NotAPicture as fault:
        raise Masked(f"the answer is no picture, so its size was not seen: {fault}") from fault


def shown_size(size: Sequence[int]) -> str:
    """As a person writes it."""
    return f"{size[0]}x{size[1]}"


def edited_size(probe: Probe, model: str, size: Sequence[int], *, form: bool = False, **more: Any) -> Size:
    """The size of the answer to an edit of a flat picture of that size."""
    picture = Picture(size[0], size[1], mode="1", pattern="flat")
    fields = probe.good(**fields_for(probe.facts, model) | {"image": picture} | more)
    return size_of(probe.succeeds(probe.edit(fields, form=form)))


def refusal(
    probe: Probe, model: str, *, form: bool = False, beside: dict[str, Any] | None = None, **changes: Any
) -> Reply | None:
    """The answer to a request with these changes where it is another one than that ``beside`` it, else None.

    ``beside``: the changes of a request that is surely good, by default none. Nobody pays to see it: both have a
    picture that is too small, so both are refused, and the reason tells.
    """
    plain = fields_for(probe.facts, model, image=_TOO_SMALL)
    usual = probe.unmasked(probe.edit(probe.good(**plain | (beside or {})), form=form))
    reply = probe.unmasked(probe.edit(probe.good(**plain | changes), form=form))
    same = (reply.status, error_text(reply)) == (usual.status, error_text(usual))
    return None if same else reply


def unknown_key(reply: Reply) -> bool:
    """Whether a refusal is that of a key that the schema does not know: 400, the fault at the root if told."""
    if reply.status != 400:
        return False
    try:
        told = faults_told(reply)
    except Broken:
        return True  # details of another shape are judged by rules of their own
    return told is None or "_errors" in told


def charged(probe: Probe, fields: dict[str, Any]) -> tuple[Reply, Decimal | None]:
    """The answer to an edit, and USD that it took; None where accounts cannot be looked into."""
    key = probe.key()
    before = probe.balance_of(key) if probe.steerable else None
    reply = probe.unmasked(probe.edit(fields, caller=key))
    return reply, None if before is None else before - probe.balance_of(key)


def has_ratio(found: Size, ratio: str, what: str) -> None:
    """The size is of that shape, within what rounding may do."""
    expect(
        ratio_within(*found, ratio, PERCENT),
        f"the picture that {what} is {shown_size(found)}, expected {ratio}",
    )
