"""The 402 that tells a stranger how to pay: body and PAYMENT-REQUIRED header. Shapes: x402 version 2."""

from __future__ import annotations

from typing import Any

from venice_mock.contract import Contract
from venice_mock.errors import ApiError
from venice_mock.state.session import Session
from venice_mock.times import iso_time
from venice_mock.wallet.encoded import encode_header
from venice_mock.wallet.world import World


async def payment_discovery(
    session: Session, world: World, origin: str, path: str, *, amount: str | None = None
) -> ApiError:
    """402 for a request without credentials to ``origin + path``; a fresh challenge each time.

    ``amount`` in micro-USDC is asked for on each rail (None: the suggested one); ``""`` offers none.
    """
    contract = session.contract
    x402 = contract.edition.x402
    asked = x402.suggested_amount if amount is None else amount
    offer: dict[str, Any] = {
        "x402Version": x402.version,
        "error": x402.discovery_error,
        "resource": resource_of(contract, origin, path),
        "accepts": [] if asked == "" else payment_offers(contract, world, asked),
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


def payment_offers(
    contract: Contract, world: World, amount: str, *, caip2: bool = False
) -> list[dict[str, Any]]:
    """One offer per rail; ``amount`` in micro-USDC; networks by their CAIP-2 names if asked."""
    x402 = contract.edition.x402
    offers = []
    for rail in x402.rails:
        receiver = world.receivers[rail.caip2]
        extra = dict(rail.extra)
        if receiver.fee_payer is not None:
            extra["feePayer"] = receiver.fee_payer
        offers.append(
            {
                "scheme": x402.scheme,
                "network": rail.caip2 if caip2 else rail.network,
                "asset": rail.asset,
                "amount": amount,
                "payTo": receiver.pay_to,
                "maxTimeoutSeconds": x402.max_timeout_s,
                "extra": extra,
            }
        )
    return offers


def resource_of(contract: Contract, origin: str, path: str) -> dict[str, str]:
    """What is being paid for."""
    x402 = contract.edition.x402
    return {"url": origin + path, "description": x402.description, "mimeType": x402.mime_type}


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
