"""Checks of the group ``models-listing``: GET /models and its two siblings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    at,
    equal,
    expect,
    fail,
    json_of,
    list_at,
    members,
    number_at,
    object_at,
    text_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_mock.contract import ModelSpec

_SAME = 1e-9  # USD: listed prices may carry binary noise, which a rule of its own judges


@check("MODELS-001")
def the_listing_needs_no_credentials(probe: Probe, _value: None) -> None:
    """A bare GET answers the envelope {object: "list", type, data}."""
    body = listing(probe, "")
    text_at(body, "type")


def listing(probe: Probe, query: str) -> Any:
    """The envelope that GET /models answers."""
    reply = probe.status(probe.get("/models" + query), 200)
    body = json_of(reply)
    members(body, ("object", "type", "data"))
    equal(body["object"], "list", "object")
    list_at(body, "data")
    return body


def edit_rows(probe: Probe) -> list[dict[str, Any]]:
    """The rows of type=inpaint; none at all breaks the rule that asks."""
    rows = list_at(listing(probe, "?type=inpaint"), "data")
    expect(bool(rows), "type=inpaint lists nothing")
    for row in rows:
        expect(isinstance(row, dict), "a row of the listing is no object")
    return rows


def _name(row: dict[str, Any]) -> str:
    return str(row.get("id", "a row without an id"))


def _of_row(row: dict[str, Any], *path: str) -> dict[str, Any]:
    """An object below a row's ``model_spec``."""
    expect(isinstance(row.get("model_spec"), dict), f"{_name(row)} has no model_spec")
    found = row["model_spec"]
    for step in path:
        expect(isinstance(found.get(step), dict), f"{_name(row)} has no {'.'.join(path)}")
        found = found[step]
    return dict(found)


# --- which models -------------------------------------------------------------------------------------------


@check("MODELS-002")
def only_edit_models_are_listed_as_such(probe: Probe, _value: None) -> None:
    """Every row of type=inpaint is of that type; and there are some."""
    for row in edit_rows(probe):
        equal(row.get("type"), "inpaint", f"the type of {_name(row)}")


def _with_a_text_model(probe: Probe) -> tuple[Probe, str]:
    """A mock's session in which a model is of another type than the others."""
    model = probe.facts.models[-1].id
    return probe.session(models={model: {"type": "text"}}), model


@check("MODELS-002")
def a_text_model_is_not_listed_among_edit_models(probe: Probe, _value: None) -> None:
    """On a mock one model's type is changed."""
    changed, model = _with_a_text_model(probe)
    expect(model not in _ids(changed, "inpaint"), f"{model} is of type text, and type=inpaint lists it")


def _ids(probe: Probe, kind: str) -> list[str]:
    query = f"?type={kind}" if kind else ""
    return [text_at(row, "id") for row in list_at(listing(probe, query), "data")]


@check("MODELS-006")
def what_a_bare_listing_holds_is_recorded(probe: Probe, _value: None) -> None:
    """It is not empty; a mock's is that of type=inpaint."""
    body = listing(probe, "")
    found = [text_at(row, "id") for row in list_at(body, "data")]
    expect(bool(found), "a bare GET lists nothing")
    probe.note(f"a bare GET lists {len(found)} models of type {body['type']}")
    if probe.steerable:
        equal(sorted(found), sorted(_ids(probe, "inpaint")), "the bare list")


@check("MODELS-007", witnesses=("inpaint", "text", "image"))
def all_holds_the_models_of_each_type(probe: Probe, kind: str) -> None:
    """Every id of a type stands in the list of all types too."""
    everything = set(_ids(probe, "all"))
    missing = sorted(set(_ids(probe, kind)) - everything)
    expect(not missing, f"type=all lacks {', '.join(missing)}, of type {kind}")
    lacking = sorted({model.id for model in probe.facts.models} - everything) if probe.steerable else []
    expect(not lacking, f"type=all lacks {', '.join(lacking)}")


@check("MODELS-007")
def all_holds_a_text_model_too(probe: Probe, _value: None) -> None:
    """On a mock one model's type is changed."""
    changed, model = _with_a_text_model(probe)
    expect(model in _ids(changed, "all"), f"{model} is of type text, and type=all does not list it")


# --- a row --------------------------------------------------------------------------------------------------


@check("MODELS-012")
def every_row_has_its_members(probe: Probe, _value: None) -> None:
    """Names and JSON types of all that clients read."""
    for row in edit_rows(probe):
        name = _name(row)
        for member in ("id", "owned_by", "type"):
            expect(_is_text(row.get(member)), f"{member} of {name} is {row.get(member)!r}, expected a text")
        equal(row.get("object"), "model", f"object of {name}")
        expect(_is_whole(row.get("created")), f"created of {name} is {row.get('created')!r}")
        spec = _of_row(row)
        for member in ("pricing", "constraints"):
            expect(isinstance(spec.get(member), dict), f"{name} has no {member}")
        for member in ("name", "privacy"):
            expect(_is_text(spec.get(member)), f"{member} of {name} is {spec.get(member)!r}, expected a text")
        expect(isinstance(spec.get("offline"), bool), f"offline of {name} is {spec.get('offline')!r}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


@check("MODELS-003")
def every_edit_model_lists_its_limits(probe: Probe, _value: None) -> None:
    """Ratios, prompt length, and whether it combines pictures."""
    for row in edit_rows(probe):
        name, limits = _name(row), _of_row(row, "constraints")
        ratios = limits.get("aspectRatios")
        fits = isinstance(ratios, list) and bool(ratios) and all(map(_is_text, ratios))
        expect(fits, f"aspectRatios of {name} is {ratios!r}, expected texts")
        longest = limits.get("promptCharacterLimit")
        expect(_is_whole(longest), f"promptCharacterLimit of {name} is {longest!r}, expected a number")
        combines = limits.get("combineImages")
        expect(isinstance(combines, bool), f"combineImages of {name} is {combines!r}, expected a boolean")


@check("MODELS-005")
def no_model_lists_a_ratio_that_the_endpoint_refuses(probe: Probe, _value: None) -> None:
    """The schema's closed list has every one of them."""
    known = probe.facts.edition.fields.aspect_ratios
    for row in edit_rows(probe):
        ratios = _of_row(row, "constraints").get("aspectRatios")
        strange = [ratio for ratio in ratios if ratio not in known] if isinstance(ratios, list) else []
        expect(not strange, f"{_name(row)} lists {', '.join(map(str, strange))}, which no edit may ask for")


@check("MODELS-015")
def a_model_that_takes_another_number_of_pictures_says_so(probe: Probe, _value: None) -> None:
    """A whole number above zero; on the mock the edition's, and none where the edition has none."""
    known = {model.id: model.constraints for model in probe.facts.models}
    for row in edit_rows(probe):
        name, listed = _name(row), _of_row(row, "constraints").get("maxInputImages")
        limits = known.get(name)
        wanted = None if limits is None else limits.max_input_images
        expect(wanted is None or listed is not None, f"{name} takes {wanted} pictures and does not list it")
        expect(listed is None or _is_whole(listed), f"maxInputImages of {name} is {listed!r}")
        if probe.steerable:
            equal(listed, wanted, f"maxInputImages of {name}")


# --- prices -------------------------------------------------------------------------------------------------


@check("MODELS-004")
def every_edit_model_lists_its_prices(probe: Probe, _value: None) -> None:
    """In USD and Diem: the plain one, and by tier or quality where the edition has such prices."""
    known = {model.id: model.pricing for model in probe.facts.models}
    for row in edit_rows(probe):
        name, listed = _name(row), _of_row(row, "pricing")
        wanted = known.get(name)
        for table in ("resolutions", "quality"):
            priced = wanted is not None and bool(getattr(wanted, table))
            expect(not priced or table in listed, f"{name} has prices by {table} and does not list them")
        _is_price(listed.get("inpaint"), f"pricing.inpaint of {name}")
        for where, price in _table(listed):
            _is_price(price, f"pricing.{where} of {name}")


@check("MODELS-004")
def the_price_of_the_default_tier_is_the_plain_one(probe: Probe, _value: None) -> None:
    """``inpaint`` is what an edit costs that names neither resolution nor quality."""
    tier = probe.facts.edition.fields.default_resolution
    for row in edit_rows(probe):
        name, listed, limits = _name(row), _of_row(row, "pricing"), _of_row(row, "constraints")
        prices = dict(_table(listed))
        for where in (f"resolutions.{tier}", f"quality.{tier}.{limits.get('defaultQuality')}"):
            if where in prices:
                plain, price = number_at(listed, "inpaint", "usd"), number_at(prices[where], "usd")
                told = f"{name} lists {plain} under inpaint and {price} under {where}"
                expect(abs(plain - price) < _SAME, told)


def _table(listed: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every price of a model but the plain one, and where it stands."""
    for tier, price in object_at({"resolutions": {}} | listed, "resolutions").items():
        yield f"resolutions.{tier}", price
    for tier, prices in object_at({"quality": {}} | listed, "quality").items():
        expect(isinstance(prices, dict), f"pricing.quality.{tier} is {prices!r}, expected an object")
        for quality, price in prices.items():
            yield f"quality.{tier}.{quality}", price


def _is_price(value: Any, what: str) -> None:
    expect(isinstance(value, dict), f"{what} is {value!r}, expected usd and diem")
    for unit in ("usd", "diem"):
        found = value.get(unit)
        fits = isinstance(found, int | float) and not isinstance(found, bool) and found >= 0
        expect(fits, f"{what}.{unit} is {found!r}, expected a number")


@check("MODELS-013")
def prices_are_short_decimals(probe: Probe, _value: None) -> None:
    """None has more decimal places than the longest price of the edition, and none an exponent."""
    most = max(_places(price) for model in probe.facts.models for price in _prices_of(model))
    for number in _numbers(probe):
        places = len(number.partition(".")[2])
        expect("e" not in number.lower(), f"a price is written {number}, with an exponent")
        expect(places <= most, f"a price is written {number}, with more than {most} decimal places")


@check(
    "MODELS-013",
    witnesses=("0.07", "0.0092", "1.1", "0.000001", "0.29", "12.345678"),
    strategy=lambda _facts: st.decimals(0, 100, places=6).map(lambda price: f"{price.normalize():f}"),
)
def a_price_is_listed_to_the_digit(probe: Probe, usd: str) -> None:
    """On a mock with that price for a model."""
    model = probe.facts.models[0]
    changed = probe.session(models={model.id: {"pricing": {"inpaint": usd}}})
    for row in list_at(_as_written(changed), "data"):
        if at(row, "id") == model.id:
            found = at(row, "model_spec", "pricing", "inpaint", "usd")
            expect(isinstance(found, _Written), f"the price of {model.id} is {found!r}, expected a number")
            expect(Decimal(found) == Decimal(usd), f"the price of {model.id} is {found}, expected {usd}")
            return
    fail(f"{model.id} is not listed")


def _numbers(probe: Probe) -> list[str]:
    """The prices of the listing, as they are written."""
    rows = list_at(_as_written(probe), "data")
    return [str(number) for row in rows for number in _written(row, priced=False)]


def _as_written(probe: Probe) -> Any:
    """The listing with its numbers as texts of their own kind."""
    reply = probe.status(probe.get("/models?type=inpaint"), 200)
    json_of(reply)
    return json.loads(reply.body, parse_float=_Written, parse_int=_Written)


class _Written(str):
    """A number of JSON, as it was written."""

    __slots__ = ()


def _written(value: Any, *, priced: bool) -> Iterator[_Written]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _written(inner, priced=name in ("usd", "diem"))
    elif isinstance(value, list):
        for inner in value:
            yield from _written(inner, priced=False)
    elif priced and isinstance(value, _Written):
        yield value


def _prices_of(model: ModelSpec) -> Iterator[Decimal]:
    pricing = model.pricing
    if pricing is None:
        return
    yield pricing.inpaint
    yield from pricing.resolutions.values()
    for prices in pricing.quality.values():
        yield from prices.values()
    if pricing.input_images is not None:
        yield pricing.input_images.additional


def _places(price: Decimal) -> int:
    return len(f"{price.normalize():f}".partition(".")[2])


# --- retirement ---------------------------------------------------------------------------------------------

_RETIRES = "2026-12-01T00:00:00.000Z"


@check("MODELS-014", witnesses=({"date": _RETIRES}, {"date": _RETIRES, "warning": "This model retires."}))
def a_model_that_is_to_retire_lists_when(probe: Probe, announced: dict[str, str]) -> None:
    """On a mock: its row has the date, and no other row has any."""
    model = probe.facts.models[0].id
    changed = probe.session(models={model: {"deprecation": announced}})
    rows = {_name(row): _of_row(row) for row in edit_rows(changed)}
    expect(model in rows, f"{model} is to retire, and is not listed any more")
    equal(at(rows.pop(model), "deprecation", "date"), announced["date"], f"the date of {model}'s deprecation")
    living = {known.id for known in probe.facts.models if known.deprecation is None}
    wrong = sorted(name for name, spec in rows.items() if name in living and "deprecation" in spec)
    expect(not wrong, f"{', '.join(wrong)} has a deprecation and is not to retire")


# --- other types --------------------------------------------------------------------------------------------


def other_types(facts: Facts) -> list[str]:
    """Every listing type but those with rules of their own."""
    return [name for name in facts.edition.listing_types if name not in ("all", "inpaint")]


@check("MODELS-008", witnesses=other_types)
def every_known_type_is_answered_with_a_list(probe: Probe, family: str) -> None:
    """200 and a list, which may be empty."""
    body = listing(probe, f"?type={family}")
    for row in list_at(body, "data"):
        expect(isinstance(row, dict), f"a row of type={family} is no object")


@check("MODELS-009", witnesses=("nope", "INPAINT", ""))
def an_unknown_type_is_a_validation_error(probe: Probe, family: str) -> None:
    """400 with details, as every validation error has them."""
    reply = probe.refused(probe.get(f"/models?type={family}"), 400)
    object_at(json_of(reply), "details")


# --- the two siblings ---------------------------------------------------------------------------------------

_KINDS = ("", "text", "image", "inpaint")


def _mapping(probe: Probe, path: str, kind: str) -> None:
    """The envelope of a sibling, whose ``data`` maps names to model ids."""
    reply = probe.status(probe.get(f"/models/{path}" + (f"?type={kind}" if kind else "")), 200)
    body = json_of(reply)
    members(body, ("object", "type", "data"))
    equal(body["object"], "list", "object")
    equal(body["type"], kind or probe.facts.edition.traits_default, "type")
    for name, model in object_at(body, "data").items():
        expect(_is_text(model), f"{name} is mapped to {model!r}, expected a model id")


@check("MODELS-010", witnesses=_KINDS)
def traits_name_models(probe: Probe, kind: str) -> None:
    """For text unless a type is asked for."""
    _mapping(probe, "traits", kind)


@check("MODELS-011", witnesses=_KINDS)
def foreign_names_are_mapped_to_models(probe: Probe, kind: str) -> None:
    """For text unless a type is asked for."""
    _mapping(probe, "compatibility_mapping", kind)
