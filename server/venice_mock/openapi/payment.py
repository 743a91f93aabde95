"""402: the three bodies that ask for money, and the response of an inference route that can send all of them."""

from __future__ import annotations

from decimal import Decimal

from venice_mock.contract import Contract
from venice_mock.openapi.examples import wallet_examples
from venice_mock.openapi.parts import Node, Site, headers, json_content, object_of, ref
from venice_mock.openapi.refusals import error_body

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
        "PaymentOffer": object_of(
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
        "SignInChallenge": object_of(
            "What a wallet signs to sign in.",
            {
                "info": object_of(
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
                    "items": object_of(
                        "A chain and the kind of signature it uses.",
                        {
                            "chainId": {**text, "enum": chains},
                            "type": {**text, "enum": [chain["type"] for chain in x402.supported_chains]},
                        },
                    ),
                },
            },
        ),
        "PaymentDiscovery": object_of(
            "The answer to a request without credentials: how to get some.",
            {
                "x402Version": {"type": "integer", "const": x402.version},
                "error": text,
                "resource": object_of(
                    "What is for sale.", {"url": text, "description": text, "mimeType": text}
                ),
                "accepts": {"type": "array", "items": ref("PaymentOffer")},
                "extensions": object_of("Further ways in.", {"sign-in-with-x": ref("SignInChallenge")}),
                "authOptions": {
                    "type": "object",
                    "description": "Hints for people, by kind of credential.",
                    "additionalProperties": {"type": "object", "additionalProperties": text},
                },
            },
        ),
        "PaymentRequired": object_of(
            "The answer to a signed-in wallet whose credit does not cover the edit.",
            {
                "error": text,
                "code": {**text, "const": x402.texts.payment_required_code},
                "reason": text,
                "message": text,
                "currentBalanceUsd": usd,
                "minimumBalanceUsd": {**usd, "description": "With less than this the edit is refused."},
                "description": text,
                "suggestedTopUpUsd": {**usd, "examples": [_usd(x402.suggested_amount)]},
                "minimumTopUpUsd": {**usd, "examples": [_usd(x402.minimum_amount)]},
                "supportedTokens": {"type": "array", "items": text},
                "supportedChains": {"type": "array", "items": text},
                "topUpInstructions": object_of(
                    "Steps and addresses for a top-up.",
                    {
                        **{f"step{number}": text for number, _ in enumerate(x402.texts.steps, 1)},
                        "receiverWallet": text,
                        "tokenAddress": text,
                        "tokenDecimals": {"type": "integer"},
                        "network": text,
                        "minimumAmountUsd": usd,
                    },
                ),
                "siwxChallenge": ref("SignInChallenge"),
            },
        ),
    }


def payment_response(contract: Contract, site: Site, path: str, *keys: str) -> Node:
    """402 of an inference route. The branches overlap (each has ``error``), so they are ``anyOf``."""
    wallet = wallet_examples(contract, site)
    examples = {
        **{name: error_body(contract, name) for name in _BROKE},
        "PAYMENT_REQUIRED": wallet.short(path),
        "X402_DISCOVERY": wallet.discovery(path),
    }
    header, code = (
        contract.edition.headers["payment_required"],
        contract.edition.x402.texts.payment_required_code,
    )
    return {
        "description": (
            "Not paid for. Tell the three bodies apart by their keys: `x402Version` means that no credentials "
            f"were sent, and the body says how to get some; `code` `{code}` means that the wallet's "
            "credit is short; `error` without them means that the API key's account or its spend limit is "
            f"used up. The first two also carry the header `{header}`."
        ),
        "headers": headers(contract, "payment_required", *keys),
        "content": json_content(
            {"anyOf": [ref("PaymentDiscovery"), ref("PaymentRequired"), ref("PlainError")]},
            examples,
        ),
    }


def _usd(micro: str) -> float:
    return float(Decimal(micro) / _MICRO)
