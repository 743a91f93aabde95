"""The 402 for strangers: how to pay, in the body and in the PAYMENT-REQUIRED header."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from asgi import Client, Reply, request
from conftest import MakeClient
from rulekit import EDIT, Clock, good, good_body

ORIGIN = "http://127.0.0.1:8402"
USDC_ON_BASE = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
USDC_ON_SOLANA = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
CHAINS = [
    {"chainId": "eip155:8453", "type": "eip191"},
    {"chainId": "eip155:8453", "type": "eip1271"},
    {"chainId": SOLANA, "type": "ed25519"},
]


def header_of(reply: Reply) -> Any:
    """The PAYMENT-REQUIRED header, decoded strictly."""
    return json.loads(base64.b64decode(reply.headers["payment-required"], validate=True))


@pytest.fixture
def stranger(make_client: MakeClient) -> Reply:
    return make_client(wall_clock=Clock(1_781_883_156.236)).send(good_body(), key=None)


@pytest.mark.rules(
    "EDIT-PAY-007", "EDIT-PAY-008", "EDIT-PAY-035", "EDIT-PAY-009", "EDIT-PAY-011", "EDIT-PAY-012"
)
def test_the_discovery_body_is_complete_and_closed(stranger: Reply) -> None:
    body = stranger.json
    base, solana = body["accepts"]
    info = body["extensions"]["sign-in-with-x"]["info"]
    assert stranger.status == 402
    assert body == {
        "x402Version": 2,
        "error": "Authentication required",
        "resource": {
            "url": f"{ORIGIN}/api/v1/image/edit",
            "description": "Venice API",
            "mimeType": "application/json",
        },
        "accepts": [
            {
                "scheme": "exact",
                "network": "eip155:8453",
                "asset": USDC_ON_BASE,
                "amount": "10000000",
                "payTo": base["payTo"],
                "maxTimeoutSeconds": 300,
                "extra": {"name": "USD Coin", "version": "2"},
            },
            {
                "scheme": "exact",
                "network": "solana",
                "asset": USDC_ON_SOLANA,
                "amount": "10000000",
                "payTo": solana["payTo"],
                "maxTimeoutSeconds": 300,
                "extra": {"name": "USD Coin", "version": "2", "feePayer": solana["extra"]["feePayer"]},
            },
        ],
        "extensions": {
            "sign-in-with-x": {
                "info": {
                    "domain": "127.0.0.1:8402",
                    "uri": f"{ORIGIN}/api/v1/image/edit",
                    "version": "1",
                    "nonce": info["nonce"],
                    "issuedAt": "2026-06-19T15:32:36.236Z",
                    "expirationTime": "2026-06-19T15:37:36.236Z",
                    "statement": "Sign in to Venice AI",
                },
                "supportedChains": CHAINS,
            }
        },
        "authOptions": {
            "apiKey": {
                "header": "Authorization: Bearer YOUR_API_KEY",
                "getKey": "https://venice.ai/settings/api",
                "docs": "https://docs.venice.ai/api-reference",
            },
            "x402Wallet": {
                "header": "SIGN-IN-WITH-X",
                "legacyHeader": "X-Sign-In-With-X",
                "topUp": "POST /api/v1/x402/top-up",
                "docs": "https://docs.venice.ai/api-reference/endpoint/x402/top-up",
            },
        },
    }


@pytest.mark.rules("EDIT-PAY-008", "EDIT-PAY-040")
def test_receivers_are_well_formed_and_nobodys_while_tokens_are_the_real_ones(stranger: Reply) -> None:
    base, solana = stranger.json["accepts"]
    assert re.fullmatch(r"0x[0-9a-f]{40}", base["payTo"])
    assert "fa4e" * 9 in base["payTo"]  # a pattern, not the hash of a key
    for address in (solana["payTo"], solana["extra"]["feePayer"]):
        assert re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{32,44}", address)
        assert address.startswith("Mock")
        assert "DoNotPay" in address
    assert len({base["payTo"], solana["payTo"], solana["extra"]["feePayer"]}) == 3
    assert (base["asset"], solana["asset"]) == (USDC_ON_BASE, USDC_ON_SOLANA)


@pytest.mark.rules("EDIT-PAY-010", "EDIT-PAY-036")
def test_the_header_repeats_the_body_without_the_ways_to_authenticate(stranger: Reply) -> None:
    body = stranger.json
    assert header_of(stranger) == {name: value for name, value in body.items() if name != "authOptions"}
    assert header_of(stranger)["accepts"] == body["accepts"]


@pytest.mark.rules("EDIT-PAY-009")
def test_each_answer_has_a_nonce_of_its_own(client: Client) -> None:
    infos = [client.send(key=None).json["extensions"]["sign-in-with-x"]["info"] for _ in range(50)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", info["nonce"]) for info in infos)
    assert len({info["nonce"] for info in infos}) == 50
    for info in infos:
        issued, ends = (datetime.fromisoformat(info[name]) for name in ("issuedAt", "expirationTime"))
        assert ends - issued == timedelta(minutes=5)


@pytest.mark.rules("EDIT-PAY-009")
def test_with_a_seed_the_nonces_are_repeatable_and_still_differ(make_client: MakeClient) -> None:
    def nonces() -> list[str]:
        client = make_client(seed=7)
        return [client.send(key=None).json["extensions"]["sign-in-with-x"]["info"]["nonce"] for _ in range(3)]

    assert nonces() == nonces()
    assert len(set(nonces())) == 3


@pytest.mark.rules("EDIT-PAY-012", "EDIT-PAY-037")
@pytest.mark.parametrize("host", ["localhost:9999", "mock.test", "[::1]:8402"])
def test_addresses_are_the_origin_that_the_client_called(client: Client, host: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"host", host.encode()), *((n, v) for n, v in scope["headers"] if n != b"host")]
        await client.app({**scope, "headers": headers}, receive, send)

    headers = [("content-type", "application/json"), ("x-forwarded-host", "evil.example")]
    reply = client.runner.run(request(app, "POST", EDIT, headers, [b""]))
    for told in (reply.json, header_of(reply)):
        info = told["extensions"]["sign-in-with-x"]["info"]
        assert told["resource"]["url"] == info["uri"] == f"http://{host}/api/v1/image/edit"
        assert info["domain"] == host


@pytest.mark.rules("EDIT-PAY-011")
def test_a_402_is_of_one_kind_only(client: Client, stranger: Reply) -> None:
    poor = client.edit(**good(), key="mock_insufficient_balance")
    assert set(poor.json) == {"error"}
    members = {"x402Version", "error", "resource", "accepts", "extensions", "authOptions"}
    assert set(stranger.json) == members
    assert "code" not in stranger.json
