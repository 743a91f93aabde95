"""Mutants of the group ``output-format``."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.edit import validation

_PLAN = "venice_mock.edit.judging.make_plan"
_CHECKS = "venice_mock.edit.validation._CHECKS"
_ENCODERS = "venice_mock.edit.planning._ENCODERS"


def _default(tier: str, fmt: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["tiers"]["default_formats"][tier] = fmt

    return change


def _longest(fmt: str, side: int) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["formats"][fmt]["max_side"] = side

    return change


def _alias(meant: str | None) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["fields"]["format_aliases"] = {} if meant is None else {"jpg": meant}

    return change


def _media_type(data: dict[str, Any]) -> None:
    data["formats"]["jpeg"]["media_type"] = "image/jpg"


def _checks(change: Callable[[str], str]) -> dict[str, Any]:
    """The schema's checks, where texts of output_format are changed before they are looked at."""

    def fmt(contract: Any, name: str, value: Any) -> Any:
        return validation._format(contract, name, change(value) if isinstance(value, str) else value)

    return {**validation._CHECKS, "output_format": fmt}


def _by_tier(original: Any) -> Any:
    """From 2K on the tier decides alone."""

    def plan(contract: Any, request: Any, *rest: Any) -> Any:
        overruled = request if request.resolution == "1K" else replace(request, output_format=None)
        return original(contract, overruled, *rest)

    return plan


def _always_png(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_header("content-type", "image/png") if answer.status == 200 else answer


def _is_webp_for_a_form(scope: Any, answer: Answer) -> bool:
    types = [value for name, value in scope["headers"] if name.lower() == b"content-type"]
    of_form = any(value.startswith(b"multipart/") for value in types)
    return answer.status == 200 and of_form and answer.header("content-type") == "image/webp"


def _webp_in_base64(scope: Any, _body: bytes, answer: Answer) -> Answer:
    return answer.with_body(base64.b64encode(answer.body)) if _is_webp_for_a_form(scope, answer) else answer


def _webp_in_json(scope: Any, _body: bytes, answer: Answer) -> Answer:
    if not _is_webp_for_a_form(scope, answer):
        return answer
    return answer.with_body({"images": [base64.b64encode(answer.body).decode()]})


MUTANTS: tuple[Mutant, ...] = (
    replaced(
        "EDIT-FMT-001",
        "webp is answered with a PNG",
        _ENCODERS,
        {"png": "png", "jpeg": "jpeg", "webp": "png"},
        follows=("EDIT-FMT-006", "EDIT-FMT-010"),
    ),
    with_data("EDIT-FMT-002", "jpg is no format", _alias(None), follows=("MOCK-SRV-002",)),
    with_data("EDIT-FMT-002", "jpg means png", _alias("png")),
    with_data("EDIT-FMT-003", "without output_format an edit at 1K is a JPEG", _default("1K", "jpeg")),
    with_data("EDIT-FMT-004", "without output_format an edit at 2K is a PNG", _default("2K", "png")),
    with_data("EDIT-FMT-004", "without output_format an edit at 2K is a WebP", _default("2K", "webp")),
    with_data("EDIT-FMT-005", "without output_format an edit at 4K is a PNG", _default("4K", "png")),
    wrapping("EDIT-FMT-006", "from 2K on output_format is not looked at", _PLAN, _by_tier),
    replaced("EDIT-FMT-007", "letter case of a format does not count", _CHECKS, _checks(str.lower)),
    replaced(
        "EDIT-FMT-007",
        "media types are taken for formats",
        _CHECKS,
        _checks(lambda text: text.removeprefix("image/")),
    ),
    replaced(
        "EDIT-FMT-007",
        "gif is taken, and a PNG comes",
        _CHECKS,
        _checks(lambda text: "png" if text == "gif" else text),
    ),
    answering("EDIT-FMT-008", "every picture is called image/png", _always_png),
    with_data("EDIT-FMT-008", "a JPEG is called image/jpg", _media_type),
    answering(
        "EDIT-FMT-009",
        "forms are answered with WebP in base64",
        _webp_in_base64,
        follows=("EDIT-FMT-001",),
    ),
    answering(
        "EDIT-FMT-009",
        "forms are answered with WebP in JSON",
        _webp_in_json,
        follows=("EDIT-FMT-001",),
    ),
    with_data(
        "EDIT-FMT-010",
        "sides are not looked at before a JPEG is written",
        _longest("jpeg", 2**31 - 1),
    ),
    with_data("EDIT-FMT-010", "the longest side of WebP is off by one", _longest("webp", 16_382)),
)
