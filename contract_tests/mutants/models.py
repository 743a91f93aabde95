"""Mutants of the group ``model``: the model that serves an edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.types import Scope

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.edit import validation
from venice_mock.errors import ApiError

_ENDPOINT = "venice_mock.edit.endpoint"
_CHECKS = "venice_mock.edit.validation._CHECKS"


def _another_default(edition: dict[str, Any]) -> None:
    row = next(row for row in edition["differences"] if row["id"] == "default-model")
    row["documented"]["value"] = "grok-imagine-edit"


def _ignoring_the_alias(original: Any) -> Any:
    def check_schema(contract: Any, raw: Mapping[str, Any], default_model: str) -> Any:
        draft = original(contract, raw, default_model)
        return draft if "model" in raw else replace(draft, model_id=default_model)

    return check_schema


def _bad_request(original: Any) -> Any:
    def find_model(contract: Any, model_id: str) -> Any:
        try:
            return original(contract, model_id)
        except ApiError as error:
            if contract.model(model_id) is None and model_id == model_id.lower():
                error.status = 400
            raise

    return find_model


def _of_any_type(original: Any) -> Any:
    def find_model(contract: Any, model_id: str) -> Any:
        model = contract.model(model_id)
        return original(contract, model_id) if model is None or model.constraints is None else model

    return find_model


def _without_case(original: Any) -> Any:
    return lambda contract, model_id: original(contract, model_id.lower())


def _empty_is_absent(contract: Any, name: str, value: Any) -> Any:
    return value if value == "" else validation._model_id(contract, name, value)


def _one_fewer(original: Any) -> Any:
    def list_models(contract: Any, wanted: str | None) -> Any:
        listed = original(contract, wanted)
        return listed if wanted == "all" else listed | {"data": listed["data"][:-1]}

    return list_models


def _no_name(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header("x-venice-model-name", None)


def _deprecated_yes(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header("x-venice-deprecated", "yes" if answer.header("x-venice-deprecated") else None)


def _never_deprecated(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    return answer if answer.status != 200 else answer.with_header("x-venice-deprecated", "false")


def _with_a_code(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    if answer.status != 404:
        return answer
    return answer.with_body({"code": "MODEL_NOT_FOUND", **answer.json()})


MUTANTS: tuple[Mutant, ...] = (
    with_data("EDIT-MOD-001", "another model serves by default", _another_default, follows=("MOCK-SRV-003",)),
    wrapping("EDIT-MOD-002", "modelId is ignored", f"{_ENDPOINT}.check_schema", _ignoring_the_alias),
    replaced(
        "EDIT-MOD-004",
        "modelId is no closed list",
        _CHECKS,
        {**validation._CHECKS, "modelId": validation._model_id},
    ),
    wrapping(
        "EDIT-MOD-005",
        "an unknown model is a 400",
        f"{_ENDPOINT}.find_model",
        _bad_request,
        follows=("EDIT-RATE-003",),
    ),
    wrapping("EDIT-MOD-006", "a model of any type edits", f"{_ENDPOINT}.find_model", _of_any_type),
    replaced(
        "EDIT-MOD-007",
        "an empty model is the default one",
        _CHECKS,
        {**validation._CHECKS, "model": _empty_is_absent},
    ),
    wrapping(
        "EDIT-MOD-008",
        "the listing of edit models lacks its last one",
        "venice_mock.web.api.list_models",
        _one_fewer,
    ),
    answering("EDIT-MOD-009", "answers do not give the model's name", _no_name),
    answering("EDIT-MOD-010", "a deprecated model says yes and not true", _deprecated_yes),
    answering("EDIT-MOD-010", "living models say that they are not deprecated", _never_deprecated),
    wrapping("EDIT-MOD-011", "letter case does not count in ids", f"{_ENDPOINT}.find_model", _without_case),
    answering("EDIT-MOD-012", "the 404 for a model has a code", _with_a_code, follows=("EDIT-ERR-015",)),
)
