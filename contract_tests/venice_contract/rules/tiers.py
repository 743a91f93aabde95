"""Checks of the group ``resolution``: which tiers are taken, and what size they give."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, error_text, expect, json_of
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.look import format_of
from venice_contract.pictures.sizes import AUTO, Size, area_within, expected_size, ratio_of
from venice_contract.rules.outputs import (
    by_price,
    charged,
    edited_size,
    free_models,
    inferring_models,
    limits_of,
    listed_tiers,
    ratios_of,
    refusal,
    shaping_models,
    shown_size,
    size_of,
    tiered_models,
)
from venice_contract.rules.transport import UNKNOWN_MODEL

_INPUT = (480, 270)  # 16:9


def _spends(facts: Facts, value: Sequence[Any]) -> Decimal:
    """One edit of [model, tier, ...]."""
    return facts.price({"model": value[0], "resolution": value[1]})


# --- the default --------------------------------------------------------------------------------------------


def _with_default_tier(facts: Facts) -> list[str]:
    """The cheapest model with tiers and the cheapest without, then the others that have prices by tier."""
    fit = [m for m in by_price(facts, facts.models) if facts.takes_default_tier(m)]
    tiered = [m.id for m in fit if limits_of(m).resolutions]
    untiered = [m.id for m in fit if not limits_of(m).resolutions]
    priced = [m.id for m in fit if m.pricing is not None and m.pricing.resolutions]
    return list(dict.fromkeys([*tiered[:1], *untiered[:1], *priced]))


@check(
    "EDIT-RES-001",
    witnesses=_with_default_tier,
    spends=lambda facts, value: 2 * facts.price({"model": value}),
)
def leaving_the_resolution_out_means_the_default(probe: Probe, model: str) -> None:
    """Same size and format as with 1K and, where accounts can be looked into, the same charge."""
    tier = probe.facts.edition.fields.default_resolution
    named, its_charge = charged(probe, probe.good(model=model, resolution=tier))
    left_out, charge = charged(probe, probe.good(model=model))
    probe.succeeds(named)
    probe.succeeds(left_out)
    what = f"of {model} without resolution"
    equal(shown_size(size_of(left_out)), shown_size(size_of(named)), f"the size {what}")
    equal(format_of(left_out.body), format_of(named.body), f"the format {what}")
    equal(charge, its_charge, f"the charge {what}")


@check("EDIT-RES-007")
def a_default_resolution_is_a_listed_one(probe: Probe, _value: None) -> None:
    """Of every row of GET /models that names one."""
    for model, spec in listed_specs(probe).items():
        limits = spec.get("constraints") or {}
        default, listed = limits.get("defaultResolution"), limits.get("resolutions")
        if default is not None:
            expect(
                isinstance(listed, list) and default in listed,
                f"{model} has defaultResolution {default!r}, and its resolutions are {listed!r}",
            )


def listed_specs(probe: Probe) -> dict[str, dict[str, Any]]:
    """``model_spec`` of the server's own edit models by id; rows of another shape are for other rules."""
    body = json_of(probe.status(probe.get("/models?type=inpaint"), 200))
    rows = body.get("data") if isinstance(body, dict) else body
    found = {}
    for row in rows if isinstance(rows, list) else []:
        spec = row.get("model_spec") if isinstance(row, dict) else None
        if isinstance(spec, dict) and all(
            isinstance(spec.get(name, {}), dict) for name in ("constraints", "pricing")
        ):
            found[str(row.get("id"))] = spec
    return found


# --- what is taken and what is refused ----------------------------------------------------------------------


@check(
    "EDIT-RES-002",
    witnesses=lambda facts: listed_tiers(facts)[: len(facts.edition.tiers.factors)],
    spends=_spends,
)
def a_listed_tier_is_served(probe: Probe, value: Sequence[str]) -> None:
    """200 for each tier on the cheapest model that lists it."""
    model, tier = value
    probe.succeeds(probe.edit(probe.good(model=model, resolution=tier)))


@check("EDIT-RES-002", witnesses=listed_tiers)
def a_listed_tier_is_no_fault(probe: Probe, value: Sequence[str]) -> None:
    """With it a request is answered as without it, here with a picture that is too small."""
    model, tier = value
    reply = refusal(probe, model, resolution=tier)
    expect(reply is None, f"{model} with resolution {tier} is answered {reply.status if reply else 0}")


@check("EDIT-RES-003", witnesses=("", "1K" + " " * 9, "K" * 11, "1K" * 20))
def a_resolution_of_no_or_too_many_characters_is_refused(probe: Probe, tier: str) -> None:
    """400; the mock refuses it before it looks for a model, which could refuse it as well."""
    limits = probe.facts.edition.limits
    if limits.resolution_min <= len(tier) <= limits.resolution_max:
        raise NotApplicable("this edition allows so many characters")
    model = UNKNOWN_MODEL if probe.steerable else probe.facts.cheapest().id
    probe.refused(probe.edit(probe.good(model=model, resolution=tier)))


@check("EDIT-RES-003", witnesses=("x" * 10, "x", "1K"))
def a_resolution_of_a_few_characters_passes_the_schema(probe: Probe, tier: str) -> None:
    """It is answered as no resolution is, where there is no model to have tiers of its own."""
    usual = probe.unmasked(probe.edit(probe.good(model=UNKNOWN_MODEL)))
    reply = probe.unmasked(probe.edit(probe.good(model=UNKNOWN_MODEL, resolution=tier)))
    equal(reply.status, usual.status, f"the status of an unknown model with resolution {tier!r}")
    equal(error_text(reply), error_text(usual), f"the error of an unknown model with resolution {tier!r}")


def _tiered(facts: Facts) -> list[str]:
    """The models that list tiers, the cheapest first."""
    return [m.id for m in by_price(facts, facts.models) if limits_of(m).resolutions]


def _unlisted(facts: Facts) -> list[list[str]]:
    """[model, tier]: a tier that others list first, then what nobody lists."""
    models = [facts.model(model) for model in _tiered(facts)]
    known = [
        [m.id, tier]
        for m in models
        for tier in facts.edition.tiers.factors
        if tier not in limits_of(m).resolutions
    ]
    made_up = ["8K", "1080p", "3K", "0.5K", "1024x1024", "auto", "K"]
    strange = [[m.id, tier] for tier in made_up for m in models if tier not in limits_of(m).resolutions]
    return [*known[:1], *strange[:2], *known[1:], *strange[2:]]


def _other_tiers(facts: Facts) -> st.SearchStrategy[tuple[str, str]]:
    """Up to ten characters that are no tier in any spelling."""
    near = st.from_regex(r"\A[0-9]{1,4}(K|k|p|px|MP)\Z")
    texts = st.one_of(near, st.text(min_size=1, max_size=5)).filter(
        lambda text: text.strip().upper() not in facts.edition.tiers.factors
    )
    return st.tuples(st.sampled_from(_tiered(facts)), texts)


@check("EDIT-RES-004", witnesses=_unlisted, strategy=_other_tiers)
def a_tier_that_the_model_lacks_is_refused(probe: Probe, value: Sequence[str]) -> None:
    """400, in a request that is good otherwise."""
    model, tier = value
    probe.refused(probe.edit(probe.good(model=model, resolution=tier)))


@check("EDIT-RES-006", witnesses=("1k", " 1K", "1K ", "2k", "2K\n"))
def tiers_in_other_spellings_are_recorded(probe: Probe, tier: str) -> None:
    """Accepted or refused with 400; seen with a picture that is too small."""
    reply = refusal(probe, tiered_models(probe.facts, "2K")[0], resolution=tier)
    expect(
        reply is None or reply.status == 400,
        f"resolution {tier!r} is answered {reply.status if reply else 0}",
    )
    probe.note(f"resolution {tier!r} is {'accepted' if reply is None else 'refused'}")


def _untiered(facts: Facts) -> list[list[str]]:
    models = [m.id for m in by_price(facts, facts.models) if not limits_of(m).resolutions]
    return [[model, tier] for model in models for tier in facts.edition.tiers.factors]


@check("EDIT-RES-008", witnesses=_untiered)
def tiers_of_a_model_without_any_are_recorded(probe: Probe, value: Sequence[str]) -> None:
    """The mock takes 1K and refuses the others with 400; seen with a picture that is too small."""
    model, tier = value
    reply = refusal(probe, model, resolution=tier)
    probe.note(f"{model}, which has no tiers, {'takes' if reply is None else 'refuses'} {tier}")
    expect(
        reply is None or reply.status == 400,
        f"{model} with {tier} is answered {reply.status if reply else 0}",
    )
    if probe.steerable:
        takes = tier == probe.facts.edition.fields.default_resolution
        equal(reply is None, takes, f"whether {model} takes {tier}")


# --- what size they give ------------------------------------------------------------------------------------


def _tier_lists(facts: Facts) -> list[str]:
    """The cheapest model of each list of several tiers, with the longest list last."""
    chosen: dict[tuple[str, ...], str] = {}
    for model in _tiered(facts):
        listed = limits_of(facts.model(model)).resolutions
        if len(listed) > 1 and limits_of(facts.model(model)).single_image_aspect_ratio is not False:
            chosen.setdefault(listed, model)
    return [chosen[listed] for listed in sorted(chosen, key=len)]


@check(
    "EDIT-RES-005",
    witnesses=_tier_lists,
    spends=lambda facts, value: sum(
        (facts.price({"model": value, "resolution": t}) for t in limits_of(facts.model(value)).resolutions),
        Decimal(0),
    ),
)
def a_higher_tier_has_more_pixels(probe: Probe, model: str) -> None:
    """One picture at each tier of a model."""
    factors, listed = probe.facts.edition.tiers.factors, limits_of(probe.facts.model(model)).resolutions
    below: tuple[str, Size] | None = None
    for tier in sorted(listed, key=lambda tier: factors[tier]):
        size = edited_size(probe, model, _INPUT, resolution=tier)
        if below is not None:
            more = size[0] * size[1] > below[1][0] * below[1][1]
            expect(
                more, f"{model} makes {shown_size(below[1])} at {below[0]} and {shown_size(size)} at {tier}"
            )
        below = tier, size


def _areas(facts: Facts) -> list[list[str]]:
    """[model, tier, ratio]: the cheapest model of each tier, the models with tables of their own, every list."""
    shaping = [model.id for model in shaping_models(facts)]
    first = listed_tiers(facts)[: len(facts.edition.tiers.factors)]
    tabled = [pair for pair in listed_tiers(facts) if facts.model(pair[0]).sizes is not None]
    default = facts.edition.fields.default_resolution
    plain = [[model, default] for model in (*inferring_models(facts), *free_models(facts))]
    pairs = dict.fromkeys((model, tier) for model, tier in (*first, *tabled, *plain))
    found = [[model, tier, AUTO] for model, tier in pairs if model in shaping]
    for model in inferring_models(facts)[:1]:
        found += [[model, default, max(ratios_of(facts.model(model)), key=ratio_of)]]
    return found


@check(
    "EDIT-RES-009",
    witnesses=_areas,
    strategy=lambda facts: st.sampled_from(inferring_models(facts)).flatmap(
        lambda model: st.tuples(
            st.just(model),
            st.just(facts.edition.fields.default_resolution),
            st.sampled_from(ratios_of(facts.model(model))),
        )
    ),
    spends=_spends,
)
def a_tier_is_an_area(probe: Probe, value: Sequence[str]) -> None:
    """From 0.3 to 2.0 times (1024 k) squared pixels."""
    model, tier, ratio = value
    tiers = probe.facts.edition.tiers
    size = edited_size(probe, model, _INPUT, resolution=tier, aspect_ratio=ratio)
    side = tiers.base * tiers.factors[tier]
    expect(
        area_within(*size, tiers.factors[tier], tiers),
        f"{model} makes {shown_size(size)} at {tier}, expected 0.3 to 2.0 times {side}x{side} pixels",
    )


def _by_rule(facts: Facts) -> list[str]:
    """Models with all tiers and no table of their own, the cheapest first."""
    every = tuple(facts.edition.tiers.factors)
    return [m.id for m in shaping_models(facts) if m.sizes is None and limits_of(m).resolutions == every]


def _by_table(facts: Facts) -> list[str]:
    return [m.id for m in shaping_models(facts) if m.sizes is not None]


_MEASURED = ("16:9", "9:16", "1:1")


def _sizes_at(models: Sequence[str], tiers: Sequence[str]) -> list[list[str]]:
    return [[model, tier, ratio] for tier in tiers for model in models for ratio in _MEASURED]


@check("EDIT-RES-010", witnesses=lambda facts: _sizes_at(_by_rule(facts), ["1K"]), spends=_spends)
def sizes_at_1k_are_recorded(probe: Probe, value: Sequence[str]) -> None:
    """Exact on the mock."""
    _record_size(probe, value)


@check("EDIT-RES-011", witnesses=lambda facts: _sizes_at(_by_rule(facts)[:1], ["2K", "4K"]), spends=_spends)
def sizes_at_2k_and_4k_are_recorded(probe: Probe, value: Sequence[str]) -> None:
    """Exact on the mock."""
    _record_size(probe, value)


@check("EDIT-RES-012", witnesses=lambda facts: _sizes_at(_by_table(facts), ["1K"]), spends=_spends)
def sizes_of_models_with_a_table_are_recorded(probe: Probe, value: Sequence[str]) -> None:
    """At 1K; exact on the mock."""
    _record_size(probe, value)


@check("EDIT-RES-013", witnesses=lambda facts: _sizes_at(_by_table(facts), ["2K", "4K"]), spends=_spends)
def larger_sizes_of_models_with_a_table_are_recorded(probe: Probe, value: Sequence[str]) -> None:
    """At 2K and 4K; exact on the mock."""
    _record_size(probe, value)


def _record_size(probe: Probe, value: Sequence[str]) -> None:
    model, tier, ratio = value
    tiers = probe.facts.edition.tiers
    size = edited_size(probe, model, _INPUT, resolution=tier, aspect_ratio=ratio)
    probe.note(f"{model} makes {shown_size(size)} at {tier} and {ratio}")
    if probe.steerable:
        wanted = expected_size(probe.facts.model(model), tiers, tier, ratio, _INPUT)
        equal(shown_size(size), shown_size(wanted), f"the size of {model} at {tier} and {ratio}")
