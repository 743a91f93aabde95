"""Mutants of the group ``quality``."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from mutants.kit import Mutant, replaced, with_data, wrapping
from venice_mock.contract import ModelSpec
from venice_mock.edit import validation
from venice_mock.edit.validation import Draft
from venice_mock.errors import Issue, invalid

_MODEL_RULES = "venice_mock.edit.endpoint.check_model_rules"
_PLAN = "venice_mock.edit.judging.make_plan"
_LISTING = "venice_mock.catalogue._constraints"


def _without_medium(data: dict[str, Any]) -> None:
    data["fields"]["qualities"].remove("medium")


def _no_quality_for_gpt(original: Any) -> Any:
    def check(contract: Any, draft: Draft, model: ModelSpec) -> Any:
        if draft.quality == "low" and model.constraints is not None and model.constraints.qualities:
            raise invalid(contract, [Issue("custom", "quality", "No such quality", "EDIT-QLT-001")])
        return original(contract, draft, model)

    return check


def _refused_without_tiers(original: Any) -> Any:
    def check(contract: Any, draft: Draft, model: ModelSpec) -> Any:
        if draft.quality is not None and model.constraints is not None and not model.constraints.qualities:
            raise invalid(contract, [Issue("custom", "quality", "No qualities here", "EDIT-QLT-002")])
        return original(contract, draft, model)

    return check


def _dearer(original: Any) -> Any:
    """High quality costs half as much again, whatever the model."""

    def plan(contract: Any, request: Any, *rest: Any) -> Any:
        made = original(contract, request, *rest)
        takes = request.model.constraints is not None and request.model.constraints.qualities
        dearer = request.quality == "high" and not takes
        return replace(made, price=made.price * Decimal("1.5")) if dearer else made

    return plan


def _takes_it_nevertheless(contract: Any) -> tuple[str, ...]:
    return tuple(contract.edition.fields.known)


def _any_quality(contract: Any, name: str, value: Any) -> Any:
    """Whatever is no quality is taken for high."""
    found = validation._quality(contract, name, value)
    return "high" if isinstance(found, Issue) else found


def _medium_by_default(original: Any) -> Any:
    def listed(limits: Any) -> dict[str, Any]:
        row: dict[str, Any] = original(limits)
        return row | {"defaultQuality": "medium"} if row.get("defaultQuality") == "high" else row

    return listed


def _qualities_for_all(original: Any) -> Any:
    def listed(limits: Any) -> dict[str, Any]:
        row: dict[str, Any] = original(limits)
        return {"qualities": ["low", "medium", "high"], "defaultQuality": "high"} | row

    return listed


def _default_of_another_list(original: Any) -> Any:
    def listed(limits: Any) -> dict[str, Any]:
        row: dict[str, Any] = original(limits)
        return row | {"qualities": ["low", "medium"]} if row.get("defaultQuality") == "high" else row

    return listed


MUTANTS: tuple[Mutant, ...] = (
    with_data(
        "EDIT-QLT-001",
        "the schema's list lacks medium",
        _without_medium,
        follows=("EDIT-QLT-002",),
    ),
    wrapping("EDIT-QLT-001", "a model with qualities refuses low", _MODEL_RULES, _no_quality_for_gpt),
    replaced(
        "EDIT-QLT-001",
        "quality is taken by a server that otherwise behaves as observed",
        "venice_mock.edit.validation._known_fields",
        _takes_it_nevertheless,
        follows=("EDIT-QLT-002",),
        behavior="observed",
    ),
    wrapping(
        "EDIT-QLT-002",
        "quality costs more on models without qualities",
        "venice_mock.edit.judging.make_plan",
        _dearer,
    ),
    wrapping(
        "EDIT-QLT-002", "models without qualities refuse the field", _MODEL_RULES, _refused_without_tiers
    ),
    wrapping(
        "EDIT-QLT-003",
        "the listing says that medium is the default",
        _LISTING,
        _medium_by_default,
        follows=("MODELS-004",),
    ),
    replaced(
        "EDIT-QLT-004",
        "an unknown quality is taken for high",
        "venice_mock.edit.validation._CHECKS",
        {**validation._CHECKS, "quality": _any_quality},
    ),
    wrapping("EDIT-QLT-006", "every model lists qualities", _LISTING, _qualities_for_all),
    wrapping("EDIT-QLT-006", "the default is none of the list", _LISTING, _default_of_another_list),
)
