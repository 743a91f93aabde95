"""Checks of the group ``models-listing``: GET /models and its two siblings."""

from __future__ import annotations

from typing import Any

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, expect, json_of, list_at, members, object_at, text_at
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe


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
