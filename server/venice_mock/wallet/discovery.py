"""The 402 that tells a stranger how to pay: body and PAYMENT-REQUIRED header. Shapes: x402 version 2."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from venice_mock.contract import Contract
from venice_mock.errors import ApiError
from venice_mock.state.session import Session
from venice_mock.times import iso_time


async def payment_discovery(session: Session, origin: str, path: str) -> ApiError:
    """402 for a request without credentials to ``origin + path``; a fresh challenge each time."""
    contract = session.contract
    x402 = contract.edition.x402
    offer: dict[str, Any] = {
        "x402Version": x402.version,
        "error": x402.discovery_error,
        "resource": {"url": origin + path, "description": x402.description, "mimeType": x402.mime_type},
        "accepts": payment_offers(contract, x402.suggested_amount),
        "extensions": {"sign-in-with-x": await sign_in_challenge(session, origin, path)},
    }
    header = contract.edition.headers["payment_required"]
    return ApiError(
        402,
        {**offer, "authOptions": x402.auth_options},
        name="X402_DISCOVERY",
        rule="EDIT-AUTH-012",
        hint="Send a key: Authorization: Bearer mock_ok",
        headers={header: encode_header(offer)},
    )


def payment_offers(contract: Contract, amount: str) -> list[dict[str, Any]]:
    """One offer per rail; ``amount`` in micro-USDC."""
    x402 = contract.edition.x402
    return [
        {
            "scheme": x402.scheme,
            "network": rail.network,
            "asset": rail.asset,
            "amount": amount,
            "payTo": rail.pay_to,
            "maxTimeoutSeconds": x402.max_timeout_s,
            "extra": rail.extra,
        }
        for rail in x402.rails
    ]


async def sign_in_challenge(session: Session, origin: str, path: str) -> dict[str, Any]:
    """A challenge to sign, made out to the mock's own origin: some clients refuse to sign any other."""
    x402 = session.contract.edition.x402
    now = await session.now()
    return {
        "info": {
            "domain": origin.partition("://")[2],
            "uri": origin + path,
            "version": x402.challenge_version,
            "nonce": session.token(32),
            "issuedAt": iso_time(now),
            "expirationTime": iso_time(now + x402.challenge_life_s),
            "statement": x402.statement,
        },
        "supportedChains": list(x402.supported_chains),
    }


def encode_header(value: dict[str, Any]) -> str:
    """Standard base64 of the JSON, as x402 headers carry it."""
    return base64.b64encode(msgspec.json.encode(value)).decode("ascii")
