"""Mutants of the group ``prompt``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mutants.kit import Mutant, replaced, with_data, wrapping
from venice_mock.edit import validation
from venice_mock.edit.fields import FormText

_ENDPOINT = "venice_mock.edit.endpoint"


def _prompt_by_default(original: Any) -> Any:
    def check_schema(contract: Any, raw: Mapping[str, Any], default_model: str) -> Any:
        return original(contract, {"prompt": "Edit the image", **raw}, default_model)

    return check_schema


def _no_single_letters(contract: Any, name: str, value: Any) -> Any:
    is_letter = isinstance(value, str) and len(value) == 1
    return validation._prompt(contract, name, "" if is_letter else value)


def _one_more(edition: dict[str, Any]) -> None:
    edition["limits"]["prompt_max"] += 1


def _one_less(edition: dict[str, Any]) -> None:
    edition["limits"]["prompt_max"] -= 1


def _model_limit(step: int) -> Any:
    """The model's limit is judged as if it were ``step`` more."""

    def wrap(original: Any) -> Any:
        def check_model_rules(contract: Any, draft: Any, model: Any) -> Any:
            limits = model.constraints
            most = limits.prompt_character_limit + step
            changed = msgspec.structs.replace(limits, prompt_character_limit=most)
            return original(contract, draft, msgspec.structs.replace(model, constraints=changed))

        return check_model_rules

    return wrap


def _latin_form(_name: str, data: bytearray) -> FormText:
    return FormText(data.decode("latin-1"))


MUTANTS: tuple[Mutant, ...] = (
    wrapping(
        "EDIT-PRM-001", "a missing prompt has a default", f"{_ENDPOINT}.check_schema", _prompt_by_default
    ),
    replaced(
        "EDIT-PRM-002",
        "a prompt of one character is as good as none",
        "venice_mock.edit.validation._CHECKS",
        {**validation._CHECKS, "prompt": _no_single_letters},
    ),
    with_data(
        "EDIT-PRM-003",
        "the schema's limit is one character too high",
        _one_more,
        follows=("EDIT-ERR-009",),
    ),
    with_data(
        "EDIT-PRM-003", "the schema's limit is one character too low", _one_less, follows=("EDIT-ERR-009",)
    ),
    wrapping(
        "EDIT-PRM-004",
        "a model's limit is one character too high",
        f"{_ENDPOINT}.check_model_rules",
        _model_limit(1),
    ),
    wrapping(
        "EDIT-PRM-004",
        "a model's limit is one character too low",
        f"{_ENDPOINT}.check_model_rules",
        _model_limit(-1),
    ),
    replaced(
        "EDIT-PRM-006",
        "texts of forms are read as Latin-1",
        "venice_mock.edit.fields._form_value",
        _latin_form,
    ),
)
