"""Mutants of the group ``resolution``: tiers and output sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mutants.kit import Mutant, replaced, with_data, wrapping
from venice_mock.contract import ModelSpec
from venice_mock.edit.validation import Draft

_SCHEMA = "venice_mock.edit.endpoint.check_schema"
_MODEL_RULES = "venice_mock.edit.endpoint.check_model_rules"
_AREA_SIZE = "venice_mock.edit.geometry._area_size"


def _draft(change: Callable[[Draft, ModelSpec], Draft]) -> Callable[[Any], Any]:
    """The model's own rules see another draft."""

    def wrap(original: Any) -> Any:
        return lambda contract, draft, model: original(contract, change(draft, model), model)

    return wrap


def _tiers(model: ModelSpec) -> tuple[str, ...]:
    return () if model.constraints is None else model.constraints.resolutions


# --- what is taken ------------------------------------------------------------------------------------------


def _defaults_to_2k(original: Any) -> Any:
    def check(contract: Any, raw: Any, default_model: str) -> Draft:
        draft: Draft = original(contract, raw, default_model)
        model = contract.model(draft.model_id)
        fits = model is not None and "2K" in _tiers(model)
        return replace(draft, resolution="2K") if fits and "resolution" not in raw else draft

    return check


def _no_2k_for_pro(draft: Draft, model: ModelSpec) -> Draft:
    switched_off = model.id == "nano-banana-pro-edit" and draft.resolution == "2K"
    return replace(draft, resolution="2K?") if switched_off else draft


def _largest_at_most(draft: Draft, model: ModelSpec) -> Draft:
    tiers = _tiers(model)
    return replace(draft, resolution=tiers[-1]) if tiers and draft.resolution not in tiers else draft


def _4k_is_2k(draft: Draft, model: ModelSpec) -> Draft:
    tiers = _tiers(model)
    falls = draft.resolution == "4K" and tiers and "4K" not in tiers
    return replace(draft, resolution="2K") if falls else draft


def _eleven_characters(data: dict[str, Any]) -> None:
    data["limits"]["resolution_max"] = 11


def _nine_characters(data: dict[str, Any]) -> None:
    data["limits"]["resolution_max"] = 9


def _no_character(data: dict[str, Any]) -> None:
    data["limits"]["resolution_min"] = 0


def _unlisted_default(original: Any) -> Any:
    def listed(limits: Any) -> dict[str, Any]:
        row: dict[str, Any] = original(limits)
        return row | {"defaultResolution": "0.5K"} if "2K" in row.get("resolutions", ()) else row

    return listed


# --- what size they give ------------------------------------------------------------------------------------


def _4k_like_2k(data: dict[str, Any]) -> None:
    data["tiers"]["factors"]["4K"] = 2


def _smaller_4k(original: Any) -> Any:
    """Still more pixels than 2K, and too few."""

    def size(tiers: Any, tier: str, ratio: Any) -> tuple[int, int]:
        width, height = original(tiers, tier, ratio)
        return (width // 2 + 64, height // 2 + 64) if tier == "4K" else (width, height)

    return size


def _tiers_are_heights(tiers: Any, tier: str, ratio: Fraction) -> tuple[int, int]:
    """1024, 2048 and 4096 are the height, whatever the width then is."""
    height, step = tiers.base * tiers.factors[tier], tiers.round_to
    return max(step, int(height * ratio) // step * step), height


MUTANTS: tuple[Mutant, ...] = (
    wrapping(
        "EDIT-RES-001",
        "an absent resolution means 2K on models that have it",
        _SCHEMA,
        _defaults_to_2k,
        follows=(
            "EDIT-ASP-012",
            "EDIT-FMT-003",
            "EDIT-PAY-017",
            "EDIT-PAY-019",
            "EDIT-PAY-023",
            "EDIT-PAY-025",
            "EDIT-PAY-034",
        ),
    ),
    wrapping(
        "EDIT-RES-002",
        "2K is switched off on one model that lists it",
        _MODEL_RULES,
        _draft(_no_2k_for_pro),
        follows=("EDIT-ASP-012",),
    ),
    with_data(
        "EDIT-RES-003",
        "a resolution may have eleven characters",
        _eleven_characters,
        follows=("EDIT-ERR-005", "EDIT-ERR-009"),
    ),
    with_data(
        "EDIT-RES-003",
        "a resolution may have nine characters at most",
        _nine_characters,
        follows=("EDIT-ERR-009",),
    ),
    with_data("EDIT-RES-003", "a resolution may be empty", _no_character, follows=("EDIT-ERR-008",)),
    wrapping(
        "EDIT-RES-004",
        "a tier that the model lacks is taken for its largest",
        _MODEL_RULES,
        _draft(_largest_at_most),
    ),
    wrapping("EDIT-RES-004", "4K is taken for 2K where it is not listed", _MODEL_RULES, _draft(_4k_is_2k)),
    with_data(
        "EDIT-RES-005",
        "4K has no more pixels than 2K",
        _4k_like_2k,
        follows=("EDIT-ASP-012", "EDIT-RES-009"),
    ),
    wrapping(
        "EDIT-RES-007",
        "a listed default is none of the tiers",
        "venice_mock.catalogue._constraints",
        _unlisted_default,
    ),
    wrapping(
        "EDIT-RES-009",
        "4K is hardly larger than 2K",
        _AREA_SIZE,
        _smaller_4k,
        follows=("EDIT-ASP-012",),
    ),
    replaced(
        "EDIT-RES-009",
        "a tier is the height of the picture",
        _AREA_SIZE,
        _tiers_are_heights,
        follows=("EDIT-ASP-011", "EDIT-ASP-012"),
    ),
)
