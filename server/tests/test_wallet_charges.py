"""What an edit costs a wallet over HTTP: admission, the 402 of a short wallet, charges, places in flight."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply
from rulekit import EDIT, good, good_body, png, text_of
from venice_mock.wallet.signing import Wallet
from wallet_kit import NOW, decode
from wallets import (
    ALICE,
    BALANCE,
    BOB,
    NOTHING,
    SOLANGE,
    TOKEN,
    X402,
    MakeClient,
    Purse,
    advance,
    called,
    exact,
    freeze,
    held_by,
    purse_of,
)

WALLETS = pytest.mark.parametrize("wallet", [ALICE, SOLANGE], ids=["evm", "solana"])
DEAR = {"model": "gpt-image-2-edit"}  # 0.36 dollars
TOO_MANY = {"error": "Too many concurrent requests", "code": "X402_CONCURRENCY_LIMIT"}


# --- a wallet that is short ----------------------------------------------------------------------------------


@pytest.mark.rules(
    "EDIT-PAY-002", "EDIT-PAY-003", "EDIT-PAY-004", "EDIT-PAY-005", "EDIT-PAY-039", "EDIT-PAY-010"
)
@WALLETS
def test_a_short_wallet_is_told_everything_it_needs_to_pay(
    make_client: MakeClient, tmp_path: Path, wallet: Wallet
) -> None:
    purse = purse_of(make_client, tmp_path, "0.04", wallet)
    reply = purse.edit(purse.sign_in(now=now_at(purse)))
    base, solana = X402.rails
    body = reply.json
    challenge = body["siwxChallenge"]
    assert (reply.status, reply.headers["x-mock-rule"]) == (402, "EDIT-PAY-002")
    assert {**body, "siwxChallenge": ...} == {
        "error": "Payment required",
        "code": "PAYMENT_REQUIRED",
        "reason": "insufficient_balance",
        "message": "Insufficient x402 balance",
        "currentBalanceUsd": 0.04,
        "minimumBalanceUsd": 0.1,
        "description": "Venice API",
        "suggestedTopUpUsd": 10,
        "minimumTopUpUsd": 5,
        "supportedTokens": ["USDC"],
        "supportedChains": ["base", "solana"],
        "topUpInstructions": {
            **{f"step{number}": step for number, step in enumerate(X402.texts.steps, 1)},
            "receiverWallet": base.pay_to,
            "tokenAddress": base.asset,
            "tokenDecimals": 6,
            "network": "eip155:8453",
            "minimumAmountUsd": 5,
        },
        "siwxChallenge": ...,
    }
    assert challenge["info"] == {
        "domain": "127.0.0.1:8402",
        "uri": "http://127.0.0.1:8402" + EDIT,
        "version": "1",
        "nonce": challenge["info"]["nonce"],
        "issuedAt": "2026-09-01T12:00:00.000Z",
        "expirationTime": "2026-09-01T12:05:00.000Z",
        "statement": "Sign in to Venice AI",
    }
    assert [chain["type"] for chain in challenge["supportedChains"]] == ["eip191", "eip1271", "ed25519"]
    offer = decode(reply.headers["payment-required"])
    assert list(offer) == ["x402Version", "error", "resource", "accepts", "extensions"]
    assert (offer["x402Version"], offer["error"]) == (2, "Payment required")
    assert offer["extensions"] == {"sign-in-with-x": challenge}
    assert offer["resource"]["url"] == "http://127.0.0.1:8402" + EDIT
    assert [(rail["payTo"], rail["amount"], rail["asset"]) for rail in offer["accepts"]] == [
        (rail.pay_to, "10000000", rail.asset) for rail in (base, solana)
    ]


def now_at(purse: Purse) -> float:
    freeze(purse.client)
    return float(NOW)


@pytest.mark.rules("EDIT-PAY-010")
def test_the_header_of_a_402_offers_what_the_body_of_discovery_does(client: Client) -> None:
    stranger = client.edit(key=None, **good())
    short = Purse(client, ALICE).edit()
    told = stranger.json["accepts"]
    assert decode(short.headers["payment-required"])["accepts"] == told
    assert decode(stranger.headers["payment-required"])["accepts"] == told
    assert all(rail["amount"] == "10000000" for rail in told)


@pytest.mark.rules("EDIT-PAY-005", "EDIT-PAY-006")
@WALLETS
def test_each_402_has_a_challenge_of_its_own_that_can_be_signed(client: Client, wallet: Wallet) -> None:
    purse, seen = Purse(freeze(client), wallet), set()
    info = client.edit(key=None, **good()).json["extensions"]["sign-in-with-x"]["info"]
    for _ in range(4):
        assert info["nonce"] not in seen
        seen.add(info["nonce"])
        named = {name: info[name] for name in ("domain", "uri", "nonce", "statement")}
        reply = purse.edit(purse.sign_in(**named, life_s=300))
        assert reply.status == 402
        info = reply.json["siwxChallenge"]["info"]


@pytest.mark.rules("EDIT-PAY-021", "EDIT-PAY-020", "EDIT-PAY-039")
@pytest.mark.parametrize("usd", ["0", "0.05", "0.099999"])
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_a_402_and_the_balance_endpoint_give_one_number(
    make_client: MakeClient, tmp_path: Path, usd: str, behavior: str
) -> None:
    purse = purse_of(make_client, tmp_path, usd, behavior=behavior)
    reply = purse.edit()
    assert reply.status == 402
    body = exact(reply)
    assert body["currentBalanceUsd"] == purse.balance() == Decimal(usd)
    assert body["minimumBalanceUsd"] == Decimal("0.1")
    numbers = ("currentBalanceUsd", "minimumBalanceUsd", "suggestedTopUpUsd", "minimumTopUpUsd")
    assert all(type(body[name]) is Decimal for name in numbers)
    assert type(body["topUpInstructions"]["minimumAmountUsd"]) is Decimal


# --- admission and charges -----------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-PAY-020", "EDIT-PAY-034")
@pytest.mark.parametrize(
    ("behavior", "usd", "fields", "charge", "needed"),
    [
        ("documented", "0.099999", {}, None, "0.1"),
        ("documented", "0.1", {}, "0.04", None),
        ("documented", "0.359999", DEAR, None, "0.36"),
        ("documented", "0.36", DEAR, "0.36", None),
        ("observed", "0.099999", DEAR, None, "0.1"),
        ("observed", "0.1", {}, "0.04", None),
        ("observed", "0.1", DEAR, "0.1", None),
        ("observed", "0.359999", DEAR, "0.359999", None),
        ("observed", "0.36", DEAR, "0.36", None),
    ],
)
def test_a_wallet_is_admitted_and_charged_as_the_behaviour_says(
    make_client: MakeClient,
    tmp_path: Path,
    behavior: str,
    usd: str,
    fields: dict[str, Any],
    charge: str | None,
    needed: str | None,
) -> None:
    purse = purse_of(make_client, tmp_path, usd, behavior=behavior)
    reply = purse.edit(**fields)
    left = Decimal(usd) - Decimal(charge or 0)
    assert purse.balance() == left
    if charge is None:
        body = exact(reply)
        assert (reply.status, body["minimumBalanceUsd"], body["currentBalanceUsd"]) == (
            402,
            Decimal(needed or 0),
            left,
        )
        assert purse.transactions()["transactions"] == []
        return
    assert reply.status == 200
    (row,) = purse.transactions()["transactions"]
    assert (row["type"], row["amount"], row["balanceAfter"]) == ("CHARGE", -Decimal(charge), left)


@pytest.mark.rules("EDIT-PAY-013")
def test_the_remaining_balance_is_told_to_wallets_by_the_documented_server_only(
    make_client: MakeClient, tmp_path: Path
) -> None:
    for usd, told in (
        ("4.27", "4.230000"),
        ("0.1", "0.060000"),
        ("1.0400004", "1.000000"),
        ("1.0400005", "1.000001"),
    ):
        purse = purse_of(make_client, tmp_path, usd)
        reply = purse.edit()
        assert (reply.status, reply.headers["x-balance-remaining"]) == (200, told)
        assert abs(purse.balance() - Decimal(told)) <= Decimal("0.0000005")
        assert "x-venice-balance-usd" not in reply.headers
    key = purse.client.edit(key="mock_ok", **good())
    assert (key.status, "x-balance-remaining" in key.headers) == (200, False)
    observed = purse_of(make_client, tmp_path, "4.27", behavior="observed").edit()
    assert (observed.status, "x-balance-remaining" in observed.headers) == (200, False)


@pytest.mark.rules("EDIT-PAY-023", "EDIT-PAY-034")
@pytest.mark.parametrize(
    ("behavior", "usd", "paid", "left"),
    [
        ("documented", "0.50", 11, "0.06"),
        ("observed", "0.50", 11, "0.06"),
        ("documented", "2.06", 50, "0.06"),
    ],
)
def test_fifty_edits_at_once_never_overdraw_a_wallet(
    make_client: MakeClient, tmp_path: Path, behavior: str, usd: str, paid: int, left: str
) -> None:
    purse = purse_of(make_client, tmp_path, usd, behavior=behavior)
    headers = [purse.sign_in() for _ in range(50)]

    async def all_at_once() -> list[Reply]:
        sends = (
            purse.client.sending(good_body(), headers={"SIGN-IN-WITH-X": header}, key=None)
            for header in headers
        )
        return await asyncio.gather(*sends)

    replies = purse.client.runner.run(all_at_once())
    statuses = [reply.status for reply in replies]
    assert (statuses.count(200), statuses.count(402)) == (paid, 50 - paid)
    told = [
        Decimal(reply.headers["x-balance-remaining"])
        for reply in replies
        if "x-balance-remaining" in reply.headers
    ]
    assert min(told, default=Decimal(0)) >= 0
    page = purse.transactions("?limit=100")
    after = [row["balanceAfter"] for row in reversed(page["transactions"])]
    assert after == [Decimal(usd) - number * Decimal("0.04") for number in range(1, paid + 1)]
    assert (page["currentBalance"], held_by(purse)) == (Decimal(left), NOTHING)


@pytest.mark.rules("EDIT-PAY-014", "EDIT-PAY-029")
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"prompt": ""}, 400),
        ({"quality": "best"}, 400),
        ({"model": "none-such"}, 404),
        ({"aspect_ratio": "1:1", "model": "wan-2-7-pro-edit"}, 400),
        ({"image": "AAAA"}, 400),
        ({"image": text_of(png(200, 200))}, 400),
        ({"image": text_of(png(broken=True))}, 400),
    ],
)
def test_an_edit_that_is_refused_or_fails_costs_a_wallet_nothing(
    make_client: MakeClient, tmp_path: Path, fields: dict[str, Any], status: int
) -> None:
    purse = purse_of(make_client, tmp_path, "0.1")
    for _ in range(3):  # a hold that stayed would show the second time
        assert purse.edit(**fields).status == status
    assert (purse.balance(), held_by(purse), purse.transactions()["transactions"]) == (
        Decimal("0.1"),
        NOTHING,
        [],
    )
    assert purse.edit().status == 200


# --- behind a proxy ------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-PAY-042")
@pytest.mark.parametrize("trust", [True, False])
def test_forwarded_names_count_for_a_trusted_proxy_only(make_client: MakeClient, trust: bool) -> None:
    client = make_client(trust_proxy=trust, control_token=TOKEN)
    forwarded = {"X-Forwarded-Host": "edits.example:8443, inner", "X-Forwarded-Proto": "https, http"}
    origin, host = (
        ("https://edits.example:8443", "edits.example") if trust else ("http://127.0.0.1:8402", "127.0.0.1")
    )
    purse = Purse(client, SOLANGE)
    stranger = client.edit(key=None, headers=forwarded, **good())
    short = purse.edit(headers=forwarded)
    unsigned = client.send(
        method="GET", path=BALANCE + SOLANGE.address, headers=forwarded, key=None, content_type=None
    )
    for told in (
        stranger.json,
        decode(stranger.headers["payment-required"]),
        decode(short.headers["payment-required"]),
        unsigned.json,
    ):
        info = told["extensions"]["sign-in-with-x"]["info"]
        assert told["resource"]["url"] == info["uri"]
        assert info["uri"].startswith(origin + "/api/v1/")
        assert info["domain"] == origin.partition("://")[2]
    assert short.json["siwxChallenge"]["info"]["uri"] == origin + EDIT
    own = purse.edit(purse.sign_in(domain="edits.example"), headers=forwarded)
    assert own.status == (402 if trust else 401)  # the server's own domain may be signed
    assert purse.edit(purse.sign_in(domain=host), headers=forwarded).status == 402


@pytest.mark.rules("EDIT-PAY-042")
def test_a_trusted_proxy_that_forwards_nothing_changes_nothing(make_client: MakeClient) -> None:
    client = called(make_client(trust_proxy=True), "mock.internal:9")
    told = json.loads(client.edit(key=None, **good()).body)
    assert told["resource"]["url"] == "http://mock.internal:9" + EDIT


# --- money put in and taken out ------------------------------------------------------------------------------


@pytest.mark.rules("X402-TOP-005", "EDIT-PAY-002", "X402-TXN-003")
def test_a_short_wallet_tops_up_and_edits_until_it_is_short_again(make_client: MakeClient) -> None:
    purse = Purse(freeze(make_client(engine="fast")), BOB)
    assert purse.edit().status == 402
    assert purse.top_up().status == 200
    spent = 0
    while (
        reply := purse.edit(model="gpt-image-2-edit", resolution="4K", output_format="jpeg")
    ).status == 200:
        spent += 1
        advance(purse.client, 1)
    assert (spent, reply.status, purse.balance()) == (5, 402, 5 - 5 * Decimal("0.86"))
    assert exact(reply)["minimumBalanceUsd"] == Decimal("0.86")
    assert purse.edit().headers["x-balance-remaining"] == "0.660000"
