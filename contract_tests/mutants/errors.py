"""Mutants of the group ``errors``: the shape and wording of refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.types import Scope

from mutants.kit import Answer, Mutant, answering, with_data, wrapping

_INVALID = "venice_mock.edit.validation.invalid"


def _is_validation(answer: Answer) -> bool:
    said = answer.json() if answer.status == 400 else None
    return isinstance(said, dict) and isinstance(said.get("details"), dict)


def _details_as_a_list(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    if not _is_validation(answer) or "image" in answer.json()["details"]:
        return answer
    said = answer.json()
    listed = [{"field": name, "errors": errors} for name, errors in said["details"].items()]
    return answer.with_body(said | {"details": listed})


def _no_issues(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    if not _is_validation(answer):
        return answer
    said = answer.json()
    del said["issues"]
    return answer.with_body(said)


def _with_a_trace(_scope: Scope, _body: bytes, answer: Answer) -> Answer:
    if answer.status not in (500, 503):
        return answer
    return answer.with_body(answer.json() | {"stack": "Error: at edit (index.js:1:1)"})


def _of_forms_otherwise(scope: Scope, _body: bytes, answer: Answer) -> Answer:
    is_form = any(n.lower() == b"content-type" and v.startswith(b"multipart/") for n, v in scope["headers"])
    if not is_form or not _is_validation(answer):
        return answer
    return answer.with_body(answer.json() | {"error": "Invalid form"})


def _only_the_first(*, of_the_model: bool) -> Callable[[Any], Any]:
    """Validation that ends at the first fault, of the schema or of the model's own rules."""

    def wrap(original: Any) -> Any:
        def invalid(contract: Any, issues: Any) -> Any:
            own = issues[0].code == "custom"
            return original(contract, issues[:1] if own == of_the_model else issues)

        return invalid

    return wrap


def _invalid_value(original: Any) -> Any:
    def invalid(contract: Any, issues: Any) -> Any:
        return original(
            contract,
            [replace(issue, code="invalid_value") if issue.code == "custom" else issue for issue in issues],
        )

    return invalid


def _message(name: str, text: str) -> Callable[[dict[str, Any]], None]:
    """An edition with another sentence."""

    def change(edition: dict[str, Any]) -> None:
        edition["messages"][name] = text

    return change


def _of_inference(**members: Any) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["errors"]["INFERENCE_FAILED"] |= members

    return change


MUTANTS: tuple[Mutant, ...] = (
    answering("EDIT-ERR-002", "details is a list of fields, but for pictures", _details_as_a_list),
    answering("EDIT-ERR-003", "issues are not told", _no_issues),
    answering("EDIT-ERR-004", "a failure tells where in the code it was", _with_a_trace),
    wrapping(
        "EDIT-ERR-005", "validation ends at the first fault", _INVALID, _only_the_first(of_the_model=False)
    ),
    with_data("EDIT-ERR-006", "a missing field is a required one", _message("required", "Field is required")),
    with_data(
        "EDIT-ERR-007",
        "a wrong type is got, not received",
        _message("wrong_type", "Expected {expected}, got {received}"),
    ),
    with_data(
        "EDIT-ERR-008",
        "an empty text must not be so",
        _message("too_small", "String must not be empty"),
    ),
    with_data(
        "EDIT-ERR-009",
        "a text too long is told in a later version's words",
        _message("too_big", "Too big: expected string to have <={maximum} characters"),
    ),
    with_data(
        "EDIT-ERR-010",
        "a value of no list is told without the value",
        _message("invalid_enum", "Invalid enum value. Expected {options}"),
    ),
    with_data(
        "EDIT-ERR-011",
        "unknown keys are told in a later version's words",
        _message("unrecognized_keys", "Unrecognized keys: {keys}"),
    ),
    wrapping("EDIT-ERR-012", "what the model refuses has another code", _INVALID, _invalid_value),
    with_data(
        "EDIT-ERR-013",
        "validation errors have another sentence",
        _message("envelope", "Validation failed"),
        follows=("EDIT-ERR-015",),
    ),
    wrapping(
        "EDIT-ERR-014",
        "of a model's own refusals only the first is told",
        _INVALID,
        _only_the_first(of_the_model=True),
    ),
    with_data(
        "EDIT-ERR-015", "failed inference is told in other words", _of_inference(text="The model failed.")
    ),
    with_data("EDIT-ERR-015", "failed inference has a code", _of_inference(code="INFERENCE_FAILED")),
    answering("EDIT-ERR-016", "forms have a sentence of their own", _of_forms_otherwise),
)
