"""The checks of an edition that one record alone cannot make. No contract facts live here."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from venice_mock.contract.types import Constraints, Edition, ModelSpec, Pricing, SizeTable

_MOST_USD = 10_000  # ours
_CENT_OF_A_CENT = Decimal("0.000001")
_LONGEST_HEADER = 500  # ours


class ContractError(ValueError):
    """An edition that does not exist, cannot be read, or contradicts itself."""


def check(edition: Edition) -> None:
    """Raise ContractError with a sentence for the first contradiction."""
    demand = partial(_demand, edition)

    def unique(kind: str, ids: list[str]) -> None:
        twice = sorted({i for i in ids if ids.count(i) > 1})
        demand(not twice, f"{kind} given twice: {', '.join(twice)}")

    unique("model", [m.id for m in edition.models])
    unique("rule", [r.id for r in edition.rules])
    unique("difference", [d.id for d in edition.differences])
    ids = {m.id for m in edition.models}
    differences = {d.id for d in edition.differences}
    for row in edition.models:
        _check_row(edition, row)
    for model_id in edition.fields.model_ids:
        demand(model_id in ids, f"modelId {model_id} is not a model")
    for rule in edition.rules:
        demand(
            rule.difference is None or rule.difference in differences,
            f"rule {rule.id} names the difference {rule.difference}, which is not there",
        )
    for field in edition.fields.required:
        demand(field in edition.fields.known, f"required field {field} is not known")
    rewrites = [
        edition.enhancement is not None,
        "enhance_prompt" in edition.fields.known,
        "enhanced_prompt" in edition.headers,
    ]
    demand(all(rewrites) or not any(rewrites), "enhancement, its field and its header go together")


def check_model(edition: Edition, row: ModelSpec) -> None:
    """All that an edit with this row would stumble over: for rows that a user wrote. Raises ContractError.

    A whole edition is not held to it: one that is edited to be compared may say what it likes.
    """
    demand = partial(_demand, edition)
    told: dict[str, str | None] = {"name": row.name}
    if row.deprecation is not None:
        gone = row.deprecation
        told |= {"warning": gone.warning, "date": gone.date, "replacement": gone.replacement}
    for member, text in told.items():
        fits = text is None or (text.isascii() and text.isprintable() and len(text) <= _LONGEST_HEADER)
        demand(fits, f"model {row.id}: {member} does not fit in a header: printable ASCII, {_LONGEST_HEADER}")
    _check_row(edition, row)
    if row.pricing is not None and row.constraints is not None:
        _check_prices(edition, row.id, row.pricing, row.constraints)
        _check_constraints(edition, row.id, row.constraints)
    if row.sizes is not None:
        _check_sizes(edition, row.id, row.sizes, row.constraints)


def _check_row(edition: Edition, row: ModelSpec) -> None:
    """Of any row: its type is known, and an edit with it can be priced."""
    demand = partial(_demand, edition)
    demand(row.type in edition.model_types, f"model {row.id} has unknown type {row.type}")
    if row.type == "inpaint":
        demand(row.pricing is not None and row.constraints is not None, f"model {row.id} cannot be priced")
    if row.pricing is not None and row.constraints is not None and row.pricing.quality:
        demand(bool(row.constraints.qualities), f"model {row.id} prices qualities that it does not list")


def _check_prices(edition: Edition, model: str, pricing: Pricing, constraints: Constraints) -> None:
    prices = [pricing.inpaint, *pricing.resolutions.values()]
    prices += [usd for by_quality in pricing.quality.values() for usd in by_quality.values()]
    if pricing.input_images is not None:
        prices.append(pricing.input_images.additional)
        _demand(edition, pricing.input_images.included >= 0, f"model {model} includes less than no picture")
    for usd in prices:
        exact = usd.is_finite() and 0 <= usd <= _MOST_USD and usd == usd.quantize(_CENT_OF_A_CENT)
        shown = str(usd)[:40]
        _demand(edition, exact, f"model {model}: {shown} is no price: 0 to {_MOST_USD} USD, six decimals")
    if pricing.quality:
        for tier in _tiers(edition, constraints):
            missing = set(constraints.qualities) - set(pricing.quality.get(tier, ()))
            _demand(
                edition, not missing, f"model {model} has no price for {tier} in quality {', '.join(missing)}"
            )
        _demand(
            edition,
            constraints.default_quality is not None,
            f"model {model} prices qualities and names no default",
        )


def _check_constraints(edition: Edition, model: str, constraints: Constraints) -> None:
    limits = constraints
    _demand(edition, limits.prompt_character_limit >= 1, f"model {model} takes no prompt")
    unknown = {
        "ratios": set(limits.aspect_ratios) - set(edition.fields.aspect_ratios),
        "resolutions": set(_tiers(edition, limits)) - set(edition.tiers.factors),
        "qualities": set(limits.qualities) - set(edition.fields.qualities),
    }
    for what, names in unknown.items():
        _demand(edition, not names, f"model {model} lists unknown {what}: {', '.join(sorted(names))[:200]}")
    for what, default, listed in (
        ("resolution", limits.default_resolution, limits.resolutions),
        ("quality", limits.default_quality, limits.qualities),
    ):
        _demand(
            edition, default is None or default in listed, f"model {model} does not list its default {what}"
        )


def _check_sizes(edition: Edition, model: str, sizes: SizeTable, constraints: Constraints | None) -> None:
    tiers = set(() if constraints is None else _tiers(edition, constraints))
    tables = {**sizes.exact, "long_edge": {tier: (edge, 1) for tier, edge in sizes.long_edge.items()}}
    for label, by_tier in tables.items():
        _demand(edition, tiers <= set(by_tier), f"model {model}: sizes of {label[:20]!r} lack a resolution")
        for width, height in by_tier.values():
            fits = width > 0 and height > 0 and width * height <= edition.limits.max_pixels
            _demand(edition, fits, f"model {model}: {width}x{height} is no size of a picture")
    edges = [edge * edge <= edition.limits.max_pixels for edge in sizes.long_edge.values()]
    _demand(edition, all(edges) and sizes.round_to > 0, f"model {model}: sizes are out of range")


def _tiers(edition: Edition, constraints: Constraints) -> tuple[str, ...]:
    return constraints.resolutions or (edition.fields.default_resolution,)


def _demand(edition: Edition, condition: bool, sentence: str) -> None:
    if not condition:
        raise ContractError(f"Edition {edition.edition}: {sentence}")
