"""Checks of the group ``model``: how a request names its model, and how an answer does."""

from __future__ import annotations

from typing import Any

from venice_contract.judging.check import check, invariant
from venice_contract.judging.expect import (
    NotApplicable,
    at,
    equal,
    expect,
    header_of,
    json_of,
    list_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.rules.transport import UNKNOWN_MODEL
from venice_contract.wire.message import Exchange

_EDIT = "/image/edit"


# --- who serves ---------------------------------------------------------------------------------------------


@check("EDIT-MOD-001", spends=lambda facts, _value: facts.price({}))
def without_a_model_the_default_serves(probe: Probe, _value: None) -> None:
    """The answer names the model that the edition says, or the one of the observed server."""
    reply = probe.succeeds(probe.edit(probe.good(model=...)))
    found = header_of(reply, probe.facts.edition.headers["model_id"])
    fits = {side: found == way for side, way in probe.facts.ways("default-model").items()}
    probe.agrees("default-model", f"{found} served", **fits)


def _another_model(facts: Facts) -> str:
    """The cheapest model that never serves by default and that the schema lists for ``modelId``."""
    defaults, listed = facts.default_models(), facts.edition.fields.model_ids
    others = [model for model in facts.models if model.id not in defaults and model.id in listed]
    return facts.cheapest(others or None).id


@check(
    "EDIT-MOD-002",
    witnesses=lambda facts: [_another_model(facts)],
    spends=lambda facts, value: facts.price({"modelId": value}),
)
def the_alias_chooses_the_model(probe: Probe, model: str) -> None:
    """``modelId`` alone is obeyed."""
    reply = probe.succeeds(probe.edit(probe.good(modelId=model)))
    equal(header_of(reply, probe.facts.edition.headers["model_id"]), model, "the model that served")


def _two_models(facts: Facts) -> list[list[str]]:
    one, other = facts.default_models()[0], _another_model(facts)
    return [[one, other], [other, one]]


@check(
    "EDIT-MOD-003",
    witnesses=_two_models,
    spends=lambda facts, value: max(facts.price({"model": model}) for model in value),
)
def of_two_names_one_is_followed(probe: Probe, value: tuple[str, str]) -> None:
    """The mock follows ``model``; whom another server follows is noted."""
    model, alias = value
    reply = probe.unmasked(probe.edit(probe.good(model=model) | {"modelId": alias}))
    found = reply.header(probe.facts.edition.headers["model_id"]) if reply.status == 200 else None
    name = {model: "model", alias: "modelId"}.get(found or "", f"neither (answered {reply.status})")
    probe.note(f"of model and modelId the server follows {name}")
    if probe.steerable:
        equal(found, model, "the model that served")


@check(
    "EDIT-MOD-009",
    witnesses=lambda facts: [facts.cheapest().id, _another_model(facts)],
    spends=lambda facts, value: facts.price({"model": value}),
)
def an_answer_names_its_model(probe: Probe, model: str) -> None:
    """Its id, and a name, which on the mock is the catalogue's."""
    reply = probe.succeeds(probe.edit(probe.good(model=model)))
    headers = probe.facts.edition.headers
    equal(header_of(reply, headers["model_id"]), model, "the model that served")
    name = header_of(reply, headers["model_name"])
    if probe.steerable:
        equal(name, probe.facts.model(model).name, "the name of the model")


@invariant("EDIT-MOD-009")
def every_success_names_a_model(exchange: Exchange, facts: Facts) -> bool:
    """Neither of the two headers is missing or empty."""
    request, reply = exchange.request, exchange.reply
    if request.method != "POST" or not request.path.endswith(_EDIT) or reply is None or reply.status != 200:
        return False
    for name in ("model_id", "model_name"):
        header = facts.edition.headers[name]
        expect(bool(reply.header(header)), f"a 200 without {header}")
    return True


# --- names that are refused ---------------------------------------------------------------------------------


@check("EDIT-MOD-004", witnesses=lambda facts: ["nope", _another_model(facts).upper(), "no such model\n"])
def an_unlisted_alias_is_refused(probe: Probe, model: str) -> None:
    """400: the alias is a closed list, with letter case."""
    probe.refused(probe.edit(probe.good(modelId=model)))


@check("EDIT-MOD-005", witnesses=("json", "form"))
def an_unknown_model_is_not_found(probe: Probe, encoding: str) -> None:
    """404 in both encodings."""
    probe.refused(probe.edit(probe.good(model=UNKNOWN_MODEL), form=encoding == "form"), 404)


@check("EDIT-MOD-006")
def a_model_of_another_type_cannot_edit(probe: Probe, _value: None) -> None:
    """A 4xx: on the mock for an edit model made one of another type, elsewhere for those that the server lists."""
    if probe.steerable:
        kind = next(kind for kind in probe.facts.edition.model_types if kind != "inpaint")
        others = {kind: _another_model(probe.facts)}
        probe = probe.session(models={others[kind]: {"type": kind}})
    else:
        others = _models_of_other_types(probe)
    for kind, model in sorted(others.items())[:4]:
        reply = probe.unmasked(probe.edit(probe.good(model=model)))
        expect(400 <= reply.status < 500, f"{model}, which is of type {kind}, is answered {reply.status}")


def _models_of_other_types(probe: Probe) -> dict[str, str]:
    """By type, the first model that the server lists of it. Raises NotApplicable when there is none."""
    rows = list_at(json_of(probe.status(probe.get("/models?type=all"), 200)), "data")
    found: dict[str, str] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("type"), str):
            found.setdefault(row["type"], row["id"])
    found.pop("inpaint", None)
    if not found:
        raise NotApplicable("the server lists no model of another type")
    return found


@check("EDIT-MOD-007", witnesses=("model", "modelId"))
def an_empty_name_is_refused(probe: Probe, field: str) -> None:
    """400 for the empty string, which is no way to leave the model out."""
    probe.refused(probe.edit(probe.good(**{field: ""})))


def _other_cases(facts: Facts) -> list[str]:
    model = facts.cheapest().id
    known = {m.id for m in facts.edition.models}
    return [name for name in (model.upper(), model.title(), model.swapcase()) if name not in known]


@check("EDIT-MOD-011", witnesses=_other_cases)
def letter_case_counts_in_a_model_id(probe: Probe, model: str) -> None:
    """404 for a known id in other letters."""
    probe.refused(probe.edit(probe.good(model=model)), 404)


@check("EDIT-MOD-012")
def an_unknown_model_is_told_in_one_sentence(probe: Probe, _value: None) -> None:
    """The body is that sentence under ``error`` and nothing else."""
    reply = probe.unmasked(probe.edit(probe.good(model=UNKNOWN_MODEL)))
    equal(json_of(reply), {"error": probe.facts.edition.errors["MODEL_NOT_FOUND"].text}, "the body")


# --- the list -----------------------------------------------------------------------------------------------


@check("EDIT-MOD-008")
def the_listing_and_the_editions_list_are_the_same(probe: Probe, _value: None) -> None:
    """The inpaint models of GET /models are those that the schema names."""
    body = json_of(probe.status(probe.get("/models?type=inpaint"), 200))
    listed = {str(at(row, "id")) for row in list_at(body, "data")}
    known = set(probe.facts.edition.fields.model_ids)
    missing, extra = sorted(known - listed), sorted(listed - known)
    expect(not missing, f"the listing lacks {', '.join(missing)}")
    expect(not extra, f"the listing has models that the edition does not: {', '.join(extra)}")


# --- deprecated models --------------------------------------------------------------------------------------

_DEPRECATED = ("deprecated", "deprecation_warning", "deprecation_date", "deprecated_replacement")


@check("EDIT-MOD-010")
def a_living_model_says_nothing_of_deprecation(probe: Probe, _value: None) -> None:
    """None of the four headers."""
    model = next(m for m in probe.facts.models if m.deprecation is None and probe.facts.takes_default_tier(m))
    reply = probe.succeeds(probe.edit(probe.good(model=model.id)))
    for name in _DEPRECATED:
        header = probe.facts.edition.headers[name]
        expect(reply.header(header) is None, f"{model.id} is not deprecated, and its answer has {header}")


_ANNOUNCED: tuple[dict[str, Any], ...] = (
    {
        "date": "2026-12-01T00:00:00.000Z",
        "warning": "This model retires on 1 December 2026.",
        "replacement": "firered-image-edit",
    },
    {"date": "2026-12-01T00:00:00.000Z"},
    {},
)


@check("EDIT-MOD-010", witnesses=_ANNOUNCED)
def a_deprecated_model_says_so(probe: Probe, announced: dict[str, str]) -> None:
    """``true``, and of warning, date and replacement exactly what was announced."""
    model = probe.facts.cheapest().id
    changed = probe.session(models={model: {"deprecation": announced}})
    reply = changed.succeeds(changed.edit(changed.good(model=model)))
    headers = probe.facts.edition.headers
    equal(reply.header(headers["deprecated"]), "true", headers["deprecated"])
    for name, member in (
        ("deprecation_warning", "warning"), ("deprecation_date", "date"), ("deprecated_replacement", "replacement")
    ):  # fmt: skip
        equal(reply.header(headers[name]), announced.get(member), headers[name])
