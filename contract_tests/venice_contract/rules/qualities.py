"""Checks of the group ``quality``: a field that the schema lacks and some models take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from venice_contract.judging.check import check
from venice_contract.judging.expect import NotApplicable, equal, expect
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.rules.outputs import by_price, charged, limits_of, refusal, unknown_key
from venice_contract.rules.tiers import listed_specs

_DIFFERENCE = "quality-on-edit"


def _models(facts: Facts, *, with_tiers: bool) -> list[str]:
    """The models with qualities, or those without, the cheapest first."""
    return [m.id for m in by_price(facts, facts.models) if bool(limits_of(m).qualities) is with_tiers]


# --- models that take it ------------------------------------------------------------------------------------


@check(
    "EDIT-QLT-001",
    witnesses=lambda facts: [
        [model, quality, encoding]
        for model in _models(facts, with_tiers=True)
        for quality in limits_of(facts.model(model)).qualities
        for encoding in ("json", "form")
    ],
)
def a_listed_quality_is_taken(probe: Probe, value: Sequence[str]) -> None:
    """Or refused as an unknown key; seen with a picture that is too small."""
    model, quality, encoding = value
    reply = refusal(probe, model, form=encoding == "form", quality=quality)
    told = "passes" if reply is None else f"is answered {reply.status}"
    _agrees(
        probe,
        f"{model} with quality {quality} {told}",
        accepted=reply is None,
        unrecognized=reply is not None and unknown_key(reply),
    )


def _agrees(probe: Probe, sees: str, **fits: bool) -> None:
    """Compare with the accepted sides; ``fits`` goes by what the difference's values are called."""
    sides = {side: fits[str(way)] for side, way in probe.facts.ways(_DIFFERENCE).items()}
    probe.agrees(_DIFFERENCE, sees, **sides)


@check(
    "EDIT-QLT-004",
    witnesses=lambda facts: [
        [model, quality]
        for model in _models(facts, with_tiers=True)
        for quality in ("ultra", "", 1, "HIGH", "auto", "high ", "standard", True, ["high"])
    ],
)
def another_quality_is_refused(probe: Probe, value: Sequence[Any]) -> None:
    """400, for its value or as an unknown key, in a request that is good otherwise."""
    model, quality = value
    reply = probe.unmasked(probe.edit(probe.good(model=model, quality=quality)))
    refused = reply.status == 400
    _agrees(probe, f"quality {quality!r} is answered {reply.status}", accepted=refused, unrecognized=refused)


# --- models that have no use for it -------------------------------------------------------------------------


@check(
    "EDIT-QLT-002",
    witnesses=lambda facts: [
        [model, quality]
        for model in _models(facts, with_tiers=False)[:3]
        for quality in sorted(facts.edition.fields.qualities)
    ],
    spends=lambda facts, value: 2 * facts.price({"model": value[0]}),
)
def a_model_without_qualities_ignores_it(probe: Probe, value: Sequence[str]) -> None:
    """Same status and, where accounts can be looked into, same charge; or refused as an unknown key."""
    model, quality = value
    plain, its_charge = charged(probe, probe.good(model=model))
    probe.succeeds(plain)
    reply, charge = charged(probe, probe.good(model=model, quality=quality))
    dearer = "" if charge == its_charge else f" and costs {charge} instead of {its_charge}"
    _agrees(
        probe,
        f"{model} with quality {quality} is answered {reply.status}{dearer}",
        accepted=reply.status == 200 and charge == its_charge,
        unrecognized=unknown_key(reply),
    )


@check("EDIT-QLT-005", witnesses=("ultra", "", "HIGH"))
def another_quality_without_tiers_is_recorded(probe: Probe, quality: str) -> None:
    """Ignored or refused with 400; seen with a picture that is too small."""
    model = _models(probe.facts, with_tiers=False)[0]
    reply = refusal(probe, model, quality=quality)
    expect(
        reply is None or reply.status == 400,
        f"quality {quality!r} is answered {reply.status if reply else 0}",
    )
    probe.note(f"quality {quality!r} is {'ignored' if reply is None else 'refused'} by {model}")


# --- the listing --------------------------------------------------------------------------------------------


@check("EDIT-QLT-003", witnesses=lambda facts: _models(facts, with_tiers=True))
def the_default_quality_is_listed(probe: Probe, model: str) -> None:
    """The one of the edition: ``high`` for gpt-image-2-edit."""
    listed = listed_specs(probe)
    if model not in listed:
        raise NotApplicable(f"the server lists no {model}")
    found = (listed[model].get("constraints") or {}).get("defaultQuality")
    equal(found, limits_of(probe.facts.model(model)).default_quality, f"defaultQuality of {model}")


@check("EDIT-QLT-006")
def qualities_go_with_prices_by_quality(probe: Probe, _value: None) -> None:
    """In every row of GET /models: both or neither, and the default is one of the list."""
    for model, spec in listed_specs(probe).items():
        limits, pricing = spec.get("constraints") or {}, spec.get("pricing") or {}
        qualities, default = limits.get("qualities"), limits.get("defaultQuality")
        if not pricing.get("quality"):
            expect(
                not qualities and default is None,
                f"{model} has no prices by quality, but qualities {qualities!r} and defaultQuality {default!r}",
            )
        else:
            fits = isinstance(qualities, list) and default in qualities
            expect(
                fits, f"{model} has prices by quality, qualities {qualities!r} and defaultQuality {default!r}"
            )
