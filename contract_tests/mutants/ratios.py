"""Mutants of the group ``aspect-ratio``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec

from mutants.kit import Mutant, replaced, with_data, wrapping
from venice_mock.contract import ModelSpec
from venice_mock.edit import validation
from venice_mock.edit.geometry import AUTO, closest_ratio, parse_ratio
from venice_mock.edit.validation import Draft
from venice_mock.errors import Issue

_SCHEMA = "venice_mock.edit.endpoint.check_schema"
_MODEL_RULES = "venice_mock.edit.endpoint.check_model_rules"
_CLOSEST = "venice_mock.edit.geometry.closest_ratio"
_SHAPE = "venice_mock.edit.planning.shape_output"
_CHECKS = "venice_mock.edit.validation._CHECKS"


# --- what is taken ------------------------------------------------------------------------------------------


def _without_21_9(text: str) -> str:
    return "none" if text == "21:9" else text


def _checks(change: Callable[[str], str]) -> dict[str, Any]:
    """The schema's checks, where texts of aspect_ratio are changed before they are looked at."""

    def ratio(contract: Any, name: str, value: Any) -> str | Issue:
        return validation._ratio(contract, name, change(value) if isinstance(value, str) else value)

    return {**validation._CHECKS, "aspect_ratio": ratio}


def _reduced(text: str) -> str:
    """16:9 for whatever comes near it."""
    try:
        shape = parse_ratio(text)
    except ValueError:
        return text
    return "16:9" if abs(shape - Fraction(16, 9)) < Fraction(1, 50) else text


def _falls_back_to_auto(original: Any) -> Any:
    def check(contract: Any, draft: Draft, model: ModelSpec) -> Any:
        listed = () if model.constraints is None else model.constraints.aspect_ratios
        return original(
            contract,
            draft if draft.aspect_ratio in listed else dataclasses.replace(draft, aspect_ratio=AUTO),
            model,
        )

    return check


def _wants_auto_listed(original: Any) -> Any:
    def check(contract: Any, raw: Any, default_model: str) -> Draft:
        draft: Draft = original(contract, raw, default_model)
        model = contract.model(draft.model_id)
        listed = model.constraints.aspect_ratios if model and model.constraints else (AUTO,)
        # another text than auto is refused by the model's own rules; an absent ratio stays as it is
        wrong = raw.get("aspect_ratio") == AUTO and AUTO not in listed
        return dataclasses.replace(draft, aspect_ratio="auto?") if wrong else draft

    return check


def _heeds_the_ratio(original: Any) -> Any:
    def check(contract: Any, draft: Draft, model: ModelSpec) -> Any:
        original(contract, draft, _shaping(model))
        return original(contract, draft, model)

    return check


def _shaping(model: ModelSpec) -> ModelSpec:
    """The model, as one that does not keep the input's size."""
    assert model.constraints is not None
    return msgspec.structs.replace(
        model, constraints=msgspec.structs.replace(model.constraints, single_image_aspect_ratio=True)
    )


# --- what comes out -----------------------------------------------------------------------------------------


def _square_if_left_out(original: Any) -> Any:
    def check(contract: Any, raw: Any, default_model: str) -> Draft:
        draft: Draft = original(contract, raw, default_model)
        model = contract.model(draft.model_id)
        listed = model.constraints.aspect_ratios if model and model.constraints else ()
        return (
            dataclasses.replace(draft, aspect_ratio="1:1")
            if "aspect_ratio" not in raw and "1:1" in listed
            else draft
        )

    return check


def _stored_sides(original: Any) -> Any:
    def probe(data: Any, **limits: Any) -> Any:
        found = original(data, **limits)
        return dataclasses.replace(found, width=found.stored[0], height=found.stored[1])

    return probe


def _square_if_large(source: tuple[int, int], ratios: list[str]) -> str:
    return "1:1" if source[0] * source[1] > 400_000 and "1:1" in ratios else closest_ratio(source, ratios)


def _narrower_if_wide(source: tuple[int, int], ratios: list[str]) -> str:
    """Panoramas are cut to 3:2."""
    found = closest_ratio(source, ratios)
    return "3:2" if found == "21:9" and "3:2" in ratios else found


def _by_difference(source: tuple[int, int], ratios: list[str]) -> str:
    return min(ratios, key=lambda label: abs(Fraction(*source) - parse_ratio(label)))


def _the_last_of_equals(source: tuple[int, int], ratios: list[str]) -> str:
    return closest_ratio(source, ratios[::-1])


def _asks_the_input(original: Any) -> Any:
    def shape(model: ModelSpec, tiers: Any, tier: str, _aspect_ratio: str, source: tuple[int, int]) -> Any:
        return original(model, tiers, tier, AUTO, source)

    return shape


def _lying(original: Any) -> Any:
    def shape(model: ModelSpec, tiers: Any, tier: str, aspect_ratio: str, source: tuple[int, int]) -> Any:
        return original(
            model, tiers, tier, {"9:16": "16:9", "2:3": "3:2"}.get(aspect_ratio, aspect_ratio), source
        )

    return shape


def _keeps_nothing(original: Any) -> Any:
    def shape(model: ModelSpec, tiers: Any, tier: str, aspect_ratio: str, source: tuple[int, int]) -> Any:
        keeps = model.constraints is not None and model.constraints.single_image_aspect_ratio is False
        if keeps:
            return original(_shaping(model), tiers, tier, AUTO, source)
        return original(model, tiers, tier, aspect_ratio, source)

    return shape


def _longer_ratios(data: dict[str, Any]) -> None:
    data["tiers"]["free_ratio_min"], data["tiers"]["free_ratio_max"] = [1, 8], [8, 1]


def _square_if_free(original: Any) -> Any:
    def shape(model: ModelSpec, tiers: Any, tier: str, aspect_ratio: str, source: tuple[int, int]) -> Any:
        listed = model.constraints is not None and any(r != AUTO for r in model.constraints.aspect_ratios)
        return original(model, tiers, tier, aspect_ratio, source if listed else (1, 1))

    return shape


# --- exact numbers ------------------------------------------------------------------------------------------


def _with_floats(tiers: Any, tier: str, ratio: Fraction) -> tuple[int, int]:
    step, factor = tiers.round_to, tiers.factors[tier]
    width, height = math.sqrt(tiers.base**2 * float(ratio)), math.sqrt(tiers.base**2 / float(ratio))
    return factor * step * math.ceil(width / step), factor * step * math.ceil(height / step)


def _rounded_last(tiers: Any, tier: str, ratio: Fraction) -> tuple[int, int]:
    step, side = tiers.round_to, tiers.base * tiers.factors[tier]
    shape = float(ratio)
    return step * math.ceil(side * math.sqrt(shape) / step), step * math.ceil(side / math.sqrt(shape) / step)


def _rounded_to_the_nearest(tiers: Any, tier: str, ratio: Fraction) -> tuple[int, int]:
    step, factor, shape = tiers.round_to, tiers.factors[tier], float(ratio)
    width, height = tiers.base * math.sqrt(shape), tiers.base / math.sqrt(shape)
    return factor * step * round(width / step), factor * step * round(height / step)


def _without_tables(data: dict[str, Any]) -> None:
    for model in data["models"]:
        model.pop("sizes", None)


_AREA_SIZE = "venice_mock.edit.geometry._area_size"

MUTANTS: tuple[Mutant, ...] = (
    replaced(
        "EDIT-ASP-001",
        "the schema's list lacks 21:9",
        _CHECKS,
        _checks(_without_21_9),
        follows=(
            *("EDIT-ASP-007", "EDIT-ASP-012", "EDIT-RES-009"),
            *("EDIT-ERR-012", "EDIT-ERR-014", "EDIT-RSP-008"),
        ),
    ),
    replaced("EDIT-ASP-002", "blanks around a ratio are cut off", _CHECKS, _checks(str.strip)),
    replaced("EDIT-ASP-002", "letter case of auto does not count", _CHECKS, _checks(str.lower)),
    replaced(
        "EDIT-ASP-002", "107:60 is taken for 16:9", _CHECKS, _checks(_reduced), follows=("MOCK-SRV-002",)
    ),
    wrapping("EDIT-ASP-003", "an absent aspect_ratio means 1:1", _SCHEMA, _square_if_left_out),
    replaced(
        "EDIT-ASP-004",
        "auto takes the first ratio of the list",
        _CLOSEST,
        lambda _source, ratios: ratios[0],
        follows=("EDIT-ASP-005", "EDIT-ASP-012"),
    ),
    replaced(
        "EDIT-ASP-004",
        "auto takes height by width for the ratio",
        _CLOSEST,
        lambda source, ratios: closest_ratio(source[::-1], ratios),
        follows=("EDIT-ASP-005", "EDIT-ASP-012"),
    ),
    wrapping(
        "EDIT-ASP-004",
        "auto measures the picture before its EXIF orientation is applied",
        "venice_mock.edit.judging.probe",
        _stored_sides,
    ),
    replaced("EDIT-ASP-005", "large pictures become square", _CLOSEST, _square_if_large),
    replaced(
        "EDIT-ASP-005",
        "panoramas are made 3:2, narrower than what is less wide",
        _CLOSEST,
        _narrower_if_wide,
        follows=("EDIT-ASP-004", "EDIT-ASP-012"),
    ),
    wrapping(
        "EDIT-ASP-007",
        "a ratio that is asked for is overruled by the input's",
        _SHAPE,
        _asks_the_input,
        follows=("EDIT-ASP-012", "EDIT-RSP-006"),
    ),
    wrapping("EDIT-ASP-007", "standing ratios are made lying", _SHAPE, _lying, follows=("EDIT-ASP-012",)),
    wrapping(
        "EDIT-ASP-008", "a ratio that the model lacks is taken for auto", _MODEL_RULES, _falls_back_to_auto
    ),
    wrapping(
        "EDIT-ASP-009",
        "a model that keeps the input's size does not",
        _SHAPE,
        _keeps_nothing,
        follows=("EDIT-FMT-010",),
    ),
    wrapping(
        "EDIT-ASP-009",
        "a model that keeps the input's size refuses ratios that it does not list",
        _MODEL_RULES,
        _heeds_the_ratio,
    ),
    wrapping(
        "EDIT-ASP-010",
        "auto is refused by models whose list lacks it",
        _SCHEMA,
        _wants_auto_listed,
        follows=("EDIT-ASP-012", "EDIT-RES-009"),
    ),
    with_data("EDIT-ASP-011", "free ratios go as far as 8:1", _longer_ratios),
    wrapping(
        "EDIT-ASP-011",
        "a model that lists nothing but auto makes squares",
        _SHAPE,
        _square_if_free,
        follows=("EDIT-ASP-012",),
    ),
    replaced("EDIT-ASP-012", "sides are computed with floats", _AREA_SIZE, _with_floats),
    replaced("EDIT-ASP-012", "sides are rounded after the tier's factor", _AREA_SIZE, _rounded_last),
    replaced("EDIT-ASP-012", "sides are rounded to the nearest step", _AREA_SIZE, _rounded_to_the_nearest),
    replaced(
        "EDIT-ASP-012", "the closest ratio is the one with the least difference", _CLOSEST, _by_difference
    ),
    replaced(
        "EDIT-ASP-012", "of equally close ratios the last one listed wins", _CLOSEST, _the_last_of_equals
    ),
    with_data("EDIT-ASP-012", "measured sizes of a model are forgotten", _without_tables),
)
