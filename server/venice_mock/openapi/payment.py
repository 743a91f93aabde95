"""402: the three bodies that ask for money, and the response of an inference route that can send all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from venice_mock.contract import Contract
from venice_mock.openapi.parts import Node, headers, json_content, ref
from venice_mock.openapi.refusals import error_body
from venice_mock.times import iso_time
from venice_mock.wallet.discovery import payment_offers, resource_of
from venice_mock.wallet.world import make_world

_MICRO = Decimal(1_000_000)
_BROKE = (
    "INSUFFICIENT_BALANCE",
    "API_KEY_USD_SPEND_LIMIT_EXCEEDED",
    "API_KEY_DIEM_SPEND_LIMIT_EXCEEDED",
)


def payment_schemas(contract: Contract) -> Node:
    """``PaymentOffer``, ``SignInChallenge``, ``PaymentDiscovery`` and ``PaymentRequired``."""
    x402 = contract.edition.x402
    text: Node = {"type": "string"}
    usd: Node = {"type": "number", "minimum": 0}
    micro: Node = {"type": "string", "pattern": r"^\d+$", "description": "Micro-USDC: six decimals."}
    chains = sorted({chain["chainId"] for chain in x402.supported_chains})
    return {
        "PaymentOffer": _object(
            "One way to pay: a token on a network.",
            {
                "scheme": {**text, "const": x402.scheme},
                "network": {**text, "enum": sorted({n for r in x402.rails for n in (r.network, r.caip2)})},
                "asset": {**text, "enum": [rail.asset for rail in x402.rails]},
                "amount": {**micro, "examples": [x402.suggested_amount]},
                "payTo": {**text, "description": "The receiver; the mock's are not real ones."},
                "maxTimeoutSeconds": {"type": "integer", "const": x402.max_timeout_s},
                "extra": {"type": "object", "additionalProperties": text},
            },
        ),
        "SignInChallenge": _object(
            "What a wallet signs to sign in.",
            {
                "info": _object(
                    "The message's parts.",
                    {
                        "domain": text,
                        "uri": {**text, "format": "uri"},
                        "version": {**text, "const": x402.challenge_version},
                        "nonce": text,
                        "issuedAt": {**text, "format": "date-time"},
                        "expirationTime": {**text, "format": "date-time"},
                        "statement": {**text, "const": x402.statement},
                    },
                ),
                "supportedChains": {
                    "type": "array",
                    "items": _object(
                        "A chain and the kind of signature it uses.",
                        {
                            "chainId": {**text, "enum": chains},
                            "type": {**text, "enum": [chain["type"] for chain in x402.supported_chains]},
                        },
                    ),
                },
            },
        ),
        "PaymentDiscovery": _object(
            "The answer to a request without credentials: how to get some.",
            {
                "x402Version": {"type": "integer", "const": x402.version},
                "error": text,
                "resource": _object(
                    "What is for sale.", {"url": text, "description": text, "mimeType": text}
                ),
                "accepts": {"type": "array", "items": ref("PaymentOffer")},
                "extensions": _object("Further ways in.", {"sign-in-with-x": ref("SignInChallenge")}),
                "authOptions": {
                    "type": "object",
                    "description": "Hints for people, by kind of credential.",
                    "additionalProperties": {"type": "object", "additionalProperties": text},
                },
            },
        ),
        "PaymentRequired": _object(
            "The answer to a signed-in wallet whose credit does not cover the edit.",
            {
                "error": text,
                "code": {**text, "const": "PAYMENT_REQUIRED"},
                "reason": text,
                "currentBalanceUsd": usd,
                "minimumBalanceUsd": {**usd, "description": "With less than this the edit is refused."},
                "description": text,
                "suggestedTopUpUsd": {**usd, "examples": [_usd(x402.suggested_amount)]},
                "minimumTopUpUsd": {**usd, "examples": [_usd(x402.minimum_amount)]},
                "supportedTokens": {"type": "array", "items": text},
                "supportedChains": {"type": "array", "items": text},
                "topUpInstructions": {"type": "object", "description": "Steps and addresses for a top-up."},
                "siwxChallenge": ref("SignInChallenge"),
            },
            optional=("message",),
        ),
    }


def payment_response(contract: Contract, origin: str, path: str, *keys: str) -> Node:
    """402 of an inference route. The branches overlap (each has ``error``), so they are ``anyOf``."""
    examples = {name: error_body(contract, name) for name in _BROKE}
    header = contract.edition.headers["payment_required"]
    return {
        "description": (
            "Not paid for. Tell the three bodies apart by their keys: `x402Version` means that no credentials "
            "were sent, and the body says how to get some; `code` `PAYMENT_REQUIRED` means that the wallet's "
            "credit is short; `error` without them means that the API key's account or its spend limit is "
            f"used up. The first two also carry the header `{header}`."
        ),
        "headers": headers(contract, "payment_required", *keys),
        "content": json_content(
            {"anyOf": [ref("PaymentDiscovery"), ref("PaymentRequired"), ref("PlainError")]},
            {**examples, "X402_DISCOVERY": _discovery(contract, origin, path)},
        ),
    }


def _discovery(contract: Contract, origin: str, path: str) -> dict[str, Any]:
    # The times are those of the Unix epoch: an example that anybody could sign would only mislead.
    x402 = contract.edition.x402
    return {
        "x402Version": x402.version,
        "error": x402.discovery_error,
        "resource": resource_of(contract, origin, path),
        "accepts": payment_offers(contract, make_world(contract), x402.suggested_amount),
        "extensions": {
            "sign-in-with-x": {
                "info": {
                    "domain": origin.partition("://")[2],
                    "uri": origin + path,
                    "version": x402.challenge_version,
                    "nonce": "0" * 32,
                    "issuedAt": iso_time(0),
                    "expirationTime": iso_time(x402.challenge_life_s),
                    "statement": x402.statement,
                },
                "supportedChains": list(x402.supported_chains),
            }
        },
        "authOptions": x402.auth_options,
    }


def _object(description: str, properties: Node, optional: tuple[str, ...] = ()) -> Node:
    """An object whose listed properties are all required; ``optional`` names further strings."""
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": {**properties, **{name: {"type": "string"} for name in optional}},
    }


def _usd(micro: str) -> float:
    return float(Decimal(micro) / _MICRO)
