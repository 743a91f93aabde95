"""Mutants of the group ``models-listing``: the listing is altered on its way out, or its makers are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mutants.kit import Answer, Mutant, answering, replaced, wrapping

_AUGUST = "2026-08-22"


def _array(scope: Any, _body: bytes, answer: Answer) -> Answer:
    return (
        answer if scope["query_string"] or answer.status != 200 else answer.with_body(answer.json()["data"])
    )


def _each(change: Callable[[dict[str, Any]], None]) -> Callable[..., Answer]:
    """The listing with every row altered in place."""

    def changed(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.json()
        if answer.status != 200 or not isinstance(said, dict):
            return answer
        for row in said["data"]:
            change(row)
        return answer.with_body(said)

    return changed


def _without_limit(row: dict[str, Any]) -> None:
    del row["model_spec"]["constraints"]["promptCharacterLimit"]


def _combining_as_text(row: dict[str, Any]) -> None:
    limits = row["model_spec"]["constraints"]
    limits["combineImages"] = "yes" if limits["combineImages"] else "no"


def _without_diem(row: dict[str, Any]) -> None:
    del row["model_spec"]["pricing"]["inpaint"]["diem"]


def _without_tier_prices(row: dict[str, Any]) -> None:
    row["model_spec"]["pricing"].pop("resolutions", None)


def _dearest_first(row: dict[str, Any]) -> None:
    pricing = row["model_spec"]["pricing"]
    if "resolutions" in pricing:
        pricing["inpaint"] = list(pricing["resolutions"].values())[-1]


def _wide_ratio(row: dict[str, Any]) -> None:
    row["model_spec"]["constraints"]["aspectRatios"].append("32:9")


def _created_as_text(row: dict[str, Any]) -> None:
    row["created"] = str(row["created"])


def _without_privacy(row: dict[str, Any]) -> None:
    del row["model_spec"]["privacy"]


def _always_deprecated(row: dict[str, Any]) -> None:
    row["model_spec"].setdefault("deprecation", {"date": None})


def _never_deprecated(row: dict[str, Any]) -> None:
    row["model_spec"].pop("deprecation", None)


def _without_most_images(row: dict[str, Any]) -> None:
    row["model_spec"]["constraints"].pop("maxInputImages", None)


def _most_images_always(row: dict[str, Any]) -> None:
    row["model_spec"]["constraints"].setdefault("maxInputImages", 0)


def _noisy(usd: Any) -> dict[str, float]:
    noise = float(usd) * 3 / 3 + 2e-17 if usd else 0.0
    return {"usd": 0.1 * (noise * 10), "diem": 0.1 * (noise * 10)}


def _cents(usd: Any) -> dict[str, float]:
    return {"usd": round(float(usd), 2), "diem": round(float(usd), 2)}


def _of_type_image(listing: Callable[..., Any]) -> Callable[..., Any]:
    """Without a type, that of another default."""
    return lambda contract, wanted: listing(contract, wanted or "image")


def _every_type_as_inpaint(listing: Callable[..., Any]) -> Callable[..., Any]:
    def listed(contract: Any, wanted: str | None) -> Any:
        return (
            {**listing(contract, "all"), "type": "inpaint"}
            if wanted == "inpaint"
            else listing(contract, wanted)
        )

    return listed


def _edit_models_alone(listing: Callable[..., Any]) -> Callable[..., Any]:
    def listed(contract: Any, wanted: str | None) -> Any:
        return (
            {**listing(contract, "inpaint"), "type": "all"} if wanted == "all" else listing(contract, wanted)
        )

    return listed


def _no_other_types(listing: Callable[..., Any]) -> Callable[..., Any]:
    return lambda contract, wanted: listing(contract, "nope" if wanted == "code" else wanted)


def _any_type(listing: Callable[..., Any]) -> Callable[..., Any]:
    def listed(contract: Any, wanted: str | None) -> Any:
        known = wanted is None or wanted in contract.edition.listing_types
        return listing(contract, wanted if known else None)

    return listed


def _pairs(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    if answer.status != 200:
        return answer
    said = answer.json()
    return answer.with_body(said | {"data": [list(pair) for pair in said["data"].items()]})


MUTANTS: tuple[Mutant, ...] = (
    answering("MODELS-001", "the bare listing is an array without an envelope", _array, where="/models"),
    wrapping(
        "MODELS-002",
        "type=inpaint lists models of every type",
        "venice_mock.web.api.list_models",
        _every_type_as_inpaint,
    ),
    answering("MODELS-003", "promptCharacterLimit is left out", _each(_without_limit), where="/models"),
    answering("MODELS-003", "combineImages is yes or no", _each(_combining_as_text), where="/models"),
    answering("MODELS-004", "inpaint has no price in Diem", _each(_without_diem), where="/models"),
    answering(
        "MODELS-004", "prices by resolution are left out", _each(_without_tier_prices), where="/models"
    ),
    answering("MODELS-004", "inpaint is the dearest tier's price", _each(_dearest_first), where="/models"),
    answering(
        "MODELS-005", "a ratio is listed that no edit may ask for", _each(_wide_ratio), where="/models"
    ),
    wrapping(
        "MODELS-007",
        "type=all lists edit models alone",
        "venice_mock.web.api.list_models",
        _edit_models_alone,
    ),
    wrapping("MODELS-008", "type=code is unknown", "venice_mock.web.api.list_models", _no_other_types),
    wrapping("MODELS-009", "an unknown type is taken for none", "venice_mock.web.api.list_models", _any_type),
    wrapping(
        "MODELS-010",
        "without a type, traits are those of image",
        "venice_mock.web.api.list_traits",
        _of_type_image,
    ),
    answering("MODELS-010", "traits are pairs in an array", _pairs, where="/models/traits"),
    wrapping(
        "MODELS-011",
        "without a type, foreign names are those of image",
        "venice_mock.web.api.list_compatibility",
        _of_type_image,
    ),
    answering(
        "MODELS-011", "foreign names are pairs in an array", _pairs, where="/models/compatibility_mapping"
    ),
    answering("MODELS-012", "created is a text", _each(_created_as_text), where="/models"),
    answering("MODELS-012", "privacy is left out", _each(_without_privacy), where="/models"),
    replaced("MODELS-013", "prices are computed with floats", "venice_mock.catalogue._price", _noisy),
    replaced("MODELS-013", "prices are rounded to cents", "venice_mock.catalogue._price", _cents),
    answering(
        "MODELS-014",
        "every model has a deprecation, without a date",
        _each(_always_deprecated),
        where="/models",
    ),
    answering("MODELS-014", "a retirement is not listed", _each(_never_deprecated), where="/models"),
    answering(
        "MODELS-015",
        "maxInputImages is left out",
        _each(_without_most_images),
        where="/models",
        edition=_AUGUST,
    ),
    answering(
        "MODELS-015",
        "maxInputImages is 0 where there is none",
        _each(_most_images_always),
        where="/models",
        edition=_AUGUST,
    ),
)
