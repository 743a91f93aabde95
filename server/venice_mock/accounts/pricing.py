"""The price of one edit in USD, from the catalogue. Quality prices go before tier prices before the flat one."""

from __future__ import annotations

from decimal import Decimal

from venice_mock.contract import ModelSpec


def price_of(model: ModelSpec, tier: str, quality: str | None) -> Decimal:
    """USD for an edit at ``tier``; ``quality`` None means the model's default, and is ignored without tiers of it.

    Raises ValueError for a model that cannot be priced, KeyError for a tier or quality outside its table.
    """
    if model.pricing is None or model.constraints is None:
        raise ValueError(f"{model.id} is no edit model")
    pricing = model.pricing
    if pricing.quality:
        chosen = quality or model.constraints.default_quality
        if chosen is None:
            raise ValueError(f"{model.id} prices qualities and names no default")
        return pricing.quality[tier][chosen]
    return pricing.resolutions.get(tier, pricing.inpaint)
