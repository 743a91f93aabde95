"""Pieces that every path needs: references, objects, JSON content, headers, security. No path, no schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from venice_mock.contract import Contract

Node = dict[str, Any]  # any object of an OpenAPI document

API = "/api/v1"
BEARER = "bearer"
EVERYWHERE = ("version", "timestamp")  # what each answer under /api/v1 carries


@dataclass(frozen=True, slots=True)
class Site:
    """Where the document is read: ``http://host:port``, and what precedes the server's own paths."""

    origin: str
    prefix: str = ""


def ref(schema: str) -> Node:
    """A reference to a schema of the components."""
    return {"$ref": f"#/components/schemas/{schema}"}


def json_content(schema: Node, examples: Mapping[str, Any] | None = None) -> Node:
    """``content`` of a JSON body. ``examples`` maps a name to the whole body."""
    media: Node = {"schema": schema}
    if examples:
        media["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"application/json": media}


def object_of(description: str, properties: Node) -> Node:
    """An object whose listed properties are all required."""
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": properties,
    }


def headers(contract: Contract, *keys: str) -> Node:
    """``headers`` of an answer under /api/v1, by the edition's keys: those given and those sent everywhere."""
    names = contract.edition.headers
    return {names[key]: {"$ref": f"#/components/headers/{names[key]}"} for key in (*keys, *EVERYWHERE)}


def header_components(contract: Contract) -> Node:
    """Every header of the edition that the chosen behaviour sends, described."""
    described = _described_headers(contract)
    return {
        contract.edition.headers[key]: {"description": described[key][0], "schema": described[key][1]}
        for key in sent_headers(contract)
    }


def sent_headers(contract: Contract) -> tuple[str, ...]:
    """The edition's header keys without those that the chosen behaviour leaves out."""
    unsent: set[str] = set()
    if not contract.way("balance-header"):
        unsent.add("balance_remaining")
    if not contract.way("error-budget")["headers"]:
        unsent |= {"budget_remaining", "budget_resets"}
    return tuple(key for key in contract.edition.headers if key not in unsent)


def security_schemes(contract: Contract) -> Node:
    """The API key and one scheme per name that the sign-in header goes by, the current name first."""
    schemes: Node = {
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key. `mock_ok` opens an ordinary account; `mock_` keys steer the mock.",
        }
    }
    current = contract.edition.x402.sign_in_headers[0]
    for scheme, name in zip(sign_in_schemes(contract), contract.edition.x402.sign_in_headers, strict=True):
        schemes[scheme] = {
            "type": "apiKey",
            "in": "header",
            "name": name,
            "description": "Base64 of a JSON object with a wallet's signed sign-in message."
            + ("" if name == current else f" Former name of `{current}`, still read."),
        }
    return schemes


def sign_in_schemes(contract: Contract) -> tuple[str, ...]:
    """Names of the wallet's security schemes, in the order of the edition's sign-in headers."""
    rest = len(contract.edition.x402.sign_in_headers) - 1
    return ("signInWithX", *(f"signInWithXFormer{n}" for n in range(1, rest + 1)))


def _described_headers(contract: Contract) -> dict[str, tuple[str, Node]]:
    edition = contract.edition
    unit = "milliseconds" if contract.way("ratelimit-reset") == "ms" else "seconds"
    flag: Node = {"type": "boolean"}
    text: Node = {"type": "string"}
    usd: Node = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
    count: Node = {"type": "integer", "minimum": 0}
    encoded: Node = {**text, "contentEncoding": "base64", "contentMediaType": "application/json"}
    example = edition.models[0]
    return {
        "model_id": ("Model that made the picture.", {**text, "examples": [example.id]}),
        "model_name": ("The model's name for people.", {**text, "examples": [example.name]}),
        "violation": ("Whether the result was blocked; the answer is still a 200 with a picture.", flag),
        "blurred": ("Whether the picture was blurred because of its content.", flag),
        "enhanced_prompt": (
            "Only when the prompt was rewritten: what was painted instead, URL-encoded.",
            {**text, "pattern": r"^[A-Za-z0-9_.!~*'()%-]+$"},
        ),
        "balance_remaining": (
            "Wallets only: USD left after this edit, six decimals.",
            {"type": "string", "pattern": r"^\d+\.\d{6}$"},
        ),
        "deprecation_warning": ("Only for a model that will be retired: a notice for people.", text),
        "deprecation_date": (
            "Only for a model that will be retired: the day.",
            {**text, "format": "date-time"},
        ),
        "deprecated": ("`true` for a model that will be retired, else absent.", {**text, "const": "true"}),
        "deprecated_replacement": ("The model to change to, when one is announced.", text),
        "version": ("State of the API's contract.", {**text, "examples": [edition.stamp]}),
        "timestamp": ("When the answer was made, UTC.", {**text, "format": "date-time"}),
        "balance_usd": ("USD left on the key's account, as a decimal string.", usd),
        "balance_diem": ("DIEM left on the key's account, as a decimal string.", usd),
        "limit_requests": (
            "Image requests a minute for this account and model.",
            {**count, "examples": [edition.limits.image_requests_per_minute]},
        ),
        "remaining_requests": ("How many of them are left.", count),
        "reset_requests": (f"When the count starts anew, in Unix {unit}.", count),
        "budget_remaining": ("Failures left before the account is blocked for a while.", count),
        "budget_resets": ("When that block ends, in Unix milliseconds.", count),
        "retry_after": ("Seconds to wait before another try.", {"type": "integer", "minimum": 1}),
        "payment_required": (
            "Base64 of a JSON object with the ways to pay, as x402 clients read it. With the x402 bodies only.",
            encoded,
        ),
        "payment_response": (
            "Base64 of a JSON object, the receipt of the settlement: `success`, `network`, `payer`, `transaction`.",
            encoded,
        ),
    }
