"""Mutants of the group ``additions-2026-08``: the two keys that came with that edition."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.types import Scope

from mutants.kit import Answer, Mutant, answering, asking, replaced, with_data, wrapping
from venice_mock.edit import validation
from venice_mock.edit.enhancing import url_encoded

_AUGUST = "2026-08-22"
_HEADER = "x-venice-enhanced-prompt"
_ENHANCE, _SKIP = "enhance_prompt", "disable_prompt_optimization_thinking"
_ENDPOINT, _CHECKS = "venice_mock.edit.endpoint", "venice_mock.edit.validation._CHECKS"
august_data = functools.partial(with_data, edition=_AUGUST)
august_wrapping = functools.partial(wrapping, edition=_AUGUST)
august_replaced = functools.partial(replaced, edition=_AUGUST)


def _not_known(name: str) -> Callable[[dict[str, Any]], None]:
    """The edition's own data lack the key, as if it had been forgotten."""

    def change(data: dict[str, Any]) -> None:
        if name in data["fields"]["known"]:
            data["fields"]["known"].remove(name)

    return change


def _always_known(name: str) -> Callable[[dict[str, Any]], None]:
    """Earlier editions know the key too."""

    def change(data: dict[str, Any]) -> None:
        if name not in data["fields"]["known"]:
            data["fields"]["known"].append(name)

    return change


def _on_by_default(data: dict[str, Any]) -> None:
    if "enhancement" in data:
        data["enhancement"]["default"] = True


def _for_nothing(data: dict[str, Any]) -> None:
    if "enhancement" in data:
        data["enhancement"]["surcharge_usd"] = "0"


def _dearer(data: dict[str, Any]) -> None:
    if "enhancement" in data:
        data["enhancement"]["surcharge_usd"] = "0.05"


def _lenient(contract: Any, name: str, value: Any) -> Any:
    if isinstance(value, str | int) and not hasattr(value, "as_boolean"):
        return str(value).lower() in ("true", "1")
    return validation._boolean(contract, name, value, "EDIT-ENH-001")


def _silently(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header(_HEADER, None)


def _always_told(contract_headers: Any) -> Any:
    """The prompt stands in the header of every edit, rewritten or not."""

    def headers(contract: Any, order: Any) -> dict[str, str]:
        told: dict[str, str] = contract_headers(contract, order)
        return {_HEADER: url_encoded(order.prompt), **told}

    return headers


def _charged_when_asked(make_plan: Any) -> Any:
    """The surcharge is for asking, whether or not anything was rewritten."""

    def planned(contract: Any, request: Any, source: Any, rewritten: Any) -> Any:
        plan = make_plan(contract, request, source, rewritten)
        if not request.enhance_prompt or rewritten is not None:
            return plan
        return replace(plan, price=plan.price + contract.edition.enhancement.surcharge_usd)

    return planned


def _only_blanks(text: str) -> str:
    """Blanks alone are encoded, and what Latin-1 lacks is lost."""
    return text.replace(" ", "%20").encode("latin-1", "replace").decode("latin-1")


def _part_of_the_prompt(scope: Scope, body: bytes) -> tuple[Scope, bytes]:
    try:
        said = json.loads(body)
    except ValueError:
        return scope, body
    if isinstance(said, dict) and isinstance(said.get(_SKIP), bool) and isinstance(said.get("prompt"), str):
        said["prompt"] += ", quickly" if said[_SKIP] else ", slowly"
        return scope, json.dumps(said).encode()
    return scope, body


MUTANTS: tuple[Mutant, ...] = (
    august_data("EDIT-ENH-001", "enhance_prompt is unknown", _not_known(_ENHANCE), follows=("EDIT-ENH-002",)),
    august_data("EDIT-ENH-001", "June knows enhance_prompt too", _always_known(_ENHANCE)),
    august_data(
        "EDIT-ENH-001",
        "prompts are rewritten unless one says no",
        _on_by_default,
        follows=(
            *("EDIT-ENH-002", "EDIT-RSP-003", "BILL-003", "EDIT-PAY-015", "EDIT-PAY-016", "EDIT-PAY-017"),
            *("EDIT-PAY-019", "EDIT-PAY-023", "EDIT-PAY-025", "EDIT-PAY-026", "EDIT-PAY-031", "EDIT-PAY-034"),
            *("MOCK-KEY-001", "MOCK-KEY-003"),
        ),
    ),
    august_replaced(
        "EDIT-ENH-001",
        "enhance_prompt may be a text or a number",
        _CHECKS,
        {**validation._CHECKS, _ENHANCE: _lenient},
        follows=("EDIT-HTTP-010",),
    ),
    answering("EDIT-ENH-002", "a rewrite is charged and not told", _silently, edition=_AUGUST),
    august_wrapping(
        "EDIT-ENH-002", "every prompt is told as rewritten", f"{_ENDPOINT}.picture_headers", _always_told
    ),
    august_data("EDIT-ENH-002", "a rewrite costs nothing", _for_nothing),
    august_data("EDIT-ENH-002", "a rewrite costs a cent too much", _dearer),
    august_wrapping(
        "EDIT-ENH-002",
        "asking for a rewrite is charged",
        "venice_mock.edit.judging.make_plan",
        _charged_when_asked,
    ),
    august_replaced(
        "EDIT-ENH-002", "only blanks are encoded", "venice_mock.edit.answer.url_encoded", _only_blanks
    ),
    august_replaced(
        "EDIT-ENH-002",
        "no prompt is ever rewritten",
        "venice_mock.edit.judging.enhance",
        lambda *_request: None,
    ),
    august_data("EDIT-OPT-001", f"{_SKIP} is unknown", _not_known(_SKIP)),
    august_data("EDIT-OPT-001", f"June knows {_SKIP} too", _always_known(_SKIP)),
    august_replaced(
        "EDIT-OPT-001",
        f"{_SKIP} may be a text or a number",
        _CHECKS,
        {**validation._CHECKS, _SKIP: _lenient},
        follows=("EDIT-HTTP-010",),
    ),
    asking("EDIT-OPT-001", f"{_SKIP} becomes a part of the prompt", _part_of_the_prompt, edition=_AUGUST),
)
