"""The price of one edit in USD, from the catalogue. Quality prices go before tier prices before the flat one.

On top comes what the model takes for an input picture, if its price covers none.
"""

from __future__ import annotations

from decimal import Decimal

from venice_mock.contract import ModelSpec

_PICTURES = 1  # this endpoint takes one input picture


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
        base = pricing.quality[tier][chosen]
    else:
        base = pricing.resolutions.get(tier, pricing.inpaint)
    extra = pricing.input_images
    return base if extra is None or extra.included >= _PICTURES else base + extra.additional
