"""GET /models and its two siblings: the edition's models in the vendor's JSON shape. No other endpoint lives here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from venice_mock.contract import Constraints, Contract, ModelSpec, Pricing
from venice_mock.errors import Issue, invalid

_ALL = "all"


def list_models(contract: Contract, wanted: str | None) -> dict[str, Any]:
    """The list for ``?type=``; without it the edit models, because real clients need a list that is not empty.

    Raises ApiError 400 for a type that the contract does not know.
    """
    kind = _checked_type(contract, wanted, contract.edition.listing_types) or contract.edition.listing_default
    chosen = [m for m in contract.edition.models if kind in (_ALL, m.type)]
    return {"object": "list", "type": kind, "data": [model_entry(m) for m in chosen]}


def list_traits(contract: Contract, wanted: str | None) -> dict[str, Any]:
    """Traits of one type with the model that has each. Raises ApiError 400."""
    kind = _checked_type(contract, wanted, contract.edition.model_types) or contract.edition.traits_default
    return {"object": "list", "type": kind, "data": contract.edition.traits.get(kind, {})}


def list_compatibility(contract: Contract, wanted: str | None) -> dict[str, Any]:
    """Other vendors' model names of one type with the model that stands in. Raises ApiError 400."""
    kind = _checked_type(contract, wanted, contract.edition.model_types) or contract.edition.traits_default
    return {"object": "list", "type": kind, "data": contract.edition.compatibility.get(kind, {})}


def model_entry(model: ModelSpec) -> dict[str, Any]:
    """One row of the list. Prices are JSON numbers here, and only here."""
    spec: dict[str, Any] = {}
    if model.pricing is not None:
        spec["pricing"] = _pricing(model.pricing)
    if model.constraints is not None:
        spec["constraints"] = _constraints(model.constraints)
    if model.supports_optimize_prompt_thinking is not None:
        spec["supportsOptimizePromptThinking"] = model.supports_optimize_prompt_thinking
    spec |= {
        "name": model.name,
        "offline": model.offline,
        "privacy": model.privacy,
        "traits": list(model.traits),
        "betaModel": model.beta,
    }
    if model.uncensored:
        spec["uncensored"] = True
    if model.deprecation is not None and model.deprecation.date is not None:
        spec["deprecation"] = {
            "autoRemap": model.deprecation.auto_remap,
            "date": model.deprecation.date,
            "removesAt": model.deprecation.removes_at or model.deprecation.date,
        }
    return {
        "created": model.created,
        "id": model.id,
        "model_spec": spec,
        "object": "model",
        "owned_by": model.owned_by,
        "type": model.type,
    }


def _pricing(pricing: Pricing) -> dict[str, Any]:
    listed: dict[str, Any] = {"inpaint": _price(pricing.inpaint)}
    if pricing.resolutions:
        listed["resolutions"] = {tier: _price(usd) for tier, usd in pricing.resolutions.items()}
    if pricing.input_images is not None:
        extra = pricing.input_images
        listed["inputImages"] = {"included": extra.included, "additional": _price(extra.additional)}
    if pricing.quality:
        listed["quality"] = {
            tier: {quality: _price(usd) for quality, usd in row.items()}
            for tier, row in pricing.quality.items()
        }
    return listed


def _price(usd: Decimal) -> dict[str, float]:
    return {"usd": float(usd), "diem": float(usd)}


def _constraints(limits: Constraints) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "aspectRatios": list(limits.aspect_ratios),
        "promptCharacterLimit": limits.prompt_character_limit,
        "combineImages": limits.combine_images,
    }
    optional = {
        "maxInputImages": limits.max_input_images,
        "singleImageAspectRatio": limits.single_image_aspect_ratio,
        "defaultResolution": limits.default_resolution,
        "resolutions": list(limits.resolutions) or None,
        "defaultQuality": limits.default_quality,
        "qualities": list(limits.qualities) or None,
    }
    return listed | {name: value for name, value in optional.items() if value is not None}


def _checked_type(contract: Contract, wanted: str | None, options: tuple[str, ...]) -> str | None:
    if wanted is None or wanted in options:
        return wanted
    listed = " | ".join(f"'{option}'" for option in options)
    message = contract.edition.messages.invalid_enum.format(options=listed, received=f"'{wanted}'")
    extra = {"received": wanted, "options": list(options)}
    raise invalid(contract, [Issue("invalid_enum_value", "type", message, "MODELS-009", extra)])
