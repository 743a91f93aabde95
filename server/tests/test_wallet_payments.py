"""Topping up over HTTP: what is asked, what is credited and how often, and every way to be refused."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply
from venice_mock.wallet.signing import Wallet
from wallet_kit import NOW, PAID, decode, encode
from wallets import (
    ALICE,
    BOB,
    NOTHING,
    RATE_LIMITED,
    SOLANGE,
    TOP_UP,
    X402,
    MakeClient,
    Purse,
    address_of,
    advance,
    edited,
    exact,
    freeze,
    hand_in,
    offers_of,
    wallet_of,
    wallets_file,
)

NAMES = ("PAYMENT-SIGNATURE", "X-402-Payment", "X-PAYMENT")
BASE, SOLANA = "eip155:8453", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
WALLETS = [ALICE, SOLANGE]
KINDS = ["evm", "solana"]
REAL = {offer["network"]: offer for offer in PAID["accepts"]}
REAL_RECEIVERS = {
    "pay_to_base": REAL[BASE]["payTo"],
    "pay_to_solana": REAL[SOLANA]["payTo"],
    "fee_payer": REAL[SOLANA]["extra"]["feePayer"],
}
REPEATED = {"error": "PAYMENT_ALREADY_PROCESSED", "message": "This payment was credited before."}


def refused(reply: Reply, code: str, reason: str | None = None, status: int = 400) -> None:
    """The answer is this refusal, down to its last member."""
    known = {**X402.payments.refusals, **{k: v.message for k, v in X402.top_up.settlements.items()}}
    body: dict[str, Any] = {"error": code, "message": known[code]}
    if reason is not None:
        body["details"] = {"reason": reason}
    assert (reply.status, reply.json) == (status, body)
    assert "payment-response" not in reply.headers


def credited(reply: Reply, wallet: Wallet, amount: str, balance: str) -> dict[str, Any]:
    """The answer credits exactly so much, and its header agrees; ``data``."""
    assert reply.status == 200, reply.body
    body = exact(reply)
    data: dict[str, Any] = body["data"]
    assert (list(body), body["success"]) == (["success", "data"], True)
    assert list(data) == ["walletAddress", "amountCredited", "newBalance", "paymentId"]
    assert data["walletAddress"] == address_of(wallet)
    assert (data["amountCredited"], data["newBalance"]) == (Decimal(amount), Decimal(balance))
    receipt = decode(reply.headers["payment-response"])
    network = BASE if wallet.kind == "evm" else SOLANA
    assert {**receipt, "transaction": ...} == {
        "success": True, "network": network, "payer": address_of(wallet), "transaction": ...
    }  # fmt: skip
    settled = r"0x[0-9a-f]{64}" if wallet.kind == "evm" else r"[1-9A-HJ-NP-Za-km-z]{80,88}"
    assert re.fullmatch(settled, receipt["transaction"])
    return data


# --- what is asked -------------------------------------------------------------------------------------------


@pytest.mark.rules("X402-TOP-001", "X402-TOP-002", "X402-TOP-008")
@pytest.mark.parametrize("key", [None, "mock_ok", "mock_invalid_key"])
def test_anybody_is_told_how_to_pay_five_dollars_on_either_network(client: Client, key: str | None) -> None:
    reply = client.send(path=TOP_UP, key=key, content_type=None)
    assert reply.status == 402
    assert reply.json == decode(reply.headers["payment-required"])
    assert (list(reply.json), reply.json["x402Version"]) == (["x402Version", "accepts"], 2)
    for offer, network in zip(reply.json["accepts"], (BASE, SOLANA), strict=True):
        assert (offer["network"], offer["scheme"], offer["amount"]) == (network, "exact", "5000000")
        assert offer["maxTimeoutSeconds"] == 300
        assert offer["extra"]["name"] == "USD Coin"
        assert ("feePayer" in offer["extra"]) == (network == SOLANA)


@pytest.mark.rules("X402-TOP-028")
@pytest.mark.parametrize("body", [b"", b"{}", b'{"walletAddress": "0x", "amountUsd": 7}', b"\xff{"])
@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_the_body_does_not_matter(client: Client, body: bytes, content_type: str | None) -> None:
    asked = client.send(body, path=TOP_UP, key=None, content_type=content_type)
    assert (asked.status, len(asked.json["accepts"])) == (402, 2)
    sent = {"PAYMENT-SIGNATURE": Purse(client, SOLANGE).payment()}
    paid = client.send(body, path=TOP_UP, headers=sent, key=None, content_type=content_type)
    credited(paid, SOLANGE, "5", "5")


# --- what is credited ----------------------------------------------------------------------------------------


@pytest.mark.rules("X402-TOP-004", "X402-TOP-005", "X402-TOP-007", "X402-TOP-029")
@pytest.mark.parametrize("wallet", WALLETS, ids=KINDS)
@pytest.mark.parametrize("shape", ["v1", "hybrid", "v2"])
def test_a_payment_counts_in_each_shape_under_each_name(client: Client, wallet: Wallet, shape: str) -> None:
    purse, seen = Purse(client, wallet), set()
    for times, name in enumerate(NAMES, 1):
        data = credited(hand_in(client, purse.payment(shape=shape), name), wallet, "5", str(5 * times))
        seen.add(data["paymentId"])
        assert purse.balance() == 5 * times
    assert len(seen) == 3
    assert all(re.fullmatch("x402-[0-9a-f]{32}", each) for each in seen)


@pytest.mark.rules("X402-TOP-009", "X402-TOP-018", "X402-TOP-019")
@pytest.mark.parametrize("wallet", WALLETS, ids=KINDS)
def test_what_was_signed_is_credited_from_5_to_10000_dollars(client: Client, wallet: Wallet) -> None:
    purse = Purse(client, wallet)
    credited(purse.top_up(5_000_000), wallet, "5", "5")
    credited(purse.top_up(12_500_001), wallet, "12.500001", "17.500001")
    credited(purse.top_up(10_000_000_000), wallet, "10000", "10017.500001")
    refused(purse.top_up(4_999_999), "AMOUNT_TOO_LOW")
    refused(purse.top_up(10_000_000_001), "AMOUNT_TOO_HIGH")
    rows = purse.transactions()["transactions"]
    assert [(row["type"], row["amount"]) for row in rows] == [
        ("TOP_UP", Decimal(amount)) for amount in ("10000", "12.500001", "5")
    ]
    assert [row["requestId"] or row["modelId"] for row in rows] == [None] * 3


@pytest.mark.rules("X402-TOP-007", "X402-TOP-003")
@pytest.mark.parametrize("case", PAID["cases"], ids=[case["name"] for case in PAID["cases"]])
def test_payments_of_real_clients_are_credited_once_or_refused(
    make_client: MakeClient, case: dict[str, Any]
) -> None:
    client = freeze(make_client(**REAL_RECEIVERS))
    reply = hand_in(client, case["header"])
    if "expect" in case:
        assert (reply.status, reply.json["error"]) == (400, case["expect"])
        assert reply.json["message"] == X402.payments.refusals[case["expect"]]
        return
    kind: Any = "solana" if case["name"].startswith("svm") else "evm"
    payer = Wallet(kind, PAID[kind]["address"], "")
    amount = 5 if kind == "solana" else int(case["decoded"]["payload"]["authorization"]["value"]) / 1_000_000
    credited(reply, payer, str(amount), str(amount))
    for name in NAMES:
        again = hand_in(client, case["header"], name)
        assert (again.status, again.json) == (409, REPEATED)
    plain = hand_in(freeze(make_client()), case["header"])  # the fakes of a server that was told nothing
    refused(plain, "INVALID_PAYMENT_RECIPIENT")


@pytest.mark.rules("X402-TOP-006", "X402-TOP-026")
@pytest.mark.parametrize("wallet", WALLETS, ids=KINDS)
def test_fifty_submissions_at_once_of_one_payment_credit_it_once(client: Client, wallet: Wallet) -> None:
    purse = Purse(client, wallet)
    said: dict[str, Any] = {"offer": purse.offer(), "nonce": bytes(range(32))}
    headers = [purse.payment(shape=shape, **said) for shape in ("v1", "hybrid", "v2")]

    async def all_at_once() -> list[Reply]:
        sent = (
            client.sending(path=TOP_UP, headers={NAMES[n % 3]: headers[n % len(headers)]}, key=None)
            for n in range(50)
        )
        return await asyncio.gather(*sent)

    replies = client.runner.run(all_at_once())
    won = [reply for reply in replies if reply.status == 200]
    assert len(won) == 1
    credited(won[0], wallet, "5", "5")
    assert all((reply.status, reply.json) == (409, REPEATED) for reply in replies if reply is not won[0])
    assert purse.balance() == 5
    assert len(purse.transactions()["transactions"]) == 1


@pytest.mark.rules("X402-TOP-026")
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_a_settled_payment_sent_again_is_told_so(make_client: MakeClient, behavior: str) -> None:
    purse = Purse(freeze(make_client(behavior=behavior)), ALICE)
    header = purse.payment()
    credited(hand_in(purse.client, header), ALICE, "5", "5")
    again = hand_in(purse.client, header)
    assert (again.status, again.json, again.headers["x-mock-rule"]) == (409, REPEATED, "X402-TOP-026")
    advance(purse.client, 295)
    refused(hand_in(purse.client, header), "PAYMENT_VERIFICATION_FAILED", "expired")
    assert purse.balance() == 5


# --- refusals ------------------------------------------------------------------------------------------------

AUTHORIZATION = ("payload", "authorization")


@pytest.mark.rules(
    *("X402-TOP-010", "X402-TOP-011", "X402-TOP-012", "X402-TOP-013", "X402-TOP-014", "X402-TOP-015"),
    *("X402-TOP-016", "X402-TOP-017", "X402-TOP-020", "X402-TOP-030", "X402-TOP-003"),
)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("path", "value", "code", "reason"),
    [
        (("payload",), ..., "INVALID_PAYMENT_FORMAT", None),
        (("x402Version",), 3, "INVALID_PAYMENT_FORMAT", None),
        (("payload", "signature"), ..., "INVALID_PAYMENT", None),
        (("accepted", "network"), "eip155:84532", "UNSUPPORTED_NETWORK", None),
        (("accepted", "payTo"), BOB.address, "INVALID_PAYMENT_RECIPIENT", None),
        ((*AUTHORIZATION, "to"), BOB.address, "INVALID_PAYMENT_RECIPIENT", None),
        (("accepted", "asset"), BOB.address, "UNSUPPORTED_TOKEN", None),
        (("accepted", "scheme"), "upto", "UNSUPPORTED_SCHEME", None),
        ((*AUTHORIZATION, "value"), "5.5", "INVALID_AMOUNT", None),
        ((*AUTHORIZATION, "from"), "0x12", "INVALID_PAYMENT_PAYER", None),
        ((*AUTHORIZATION, "from"), BOB.address, "PAYMENT_VERIFICATION_FAILED", "signature_mismatch"),
        ((*AUTHORIZATION, "validBefore"), str(int(NOW)), "PAYMENT_VERIFICATION_FAILED", "expired"),
        ((*AUTHORIZATION, "validAfter"), str(int(NOW) + 1), "PAYMENT_VERIFICATION_FAILED", "not_yet_valid"),
    ],
)
def test_each_fault_of_a_payment_has_its_code_and_credits_nothing(
    client: Client, name: str, path: tuple[str, ...], value: object, code: str, reason: str | None
) -> None:
    purse = Purse(freeze(client), ALICE)
    refused(hand_in(client, edited(purse.payment(), *path, value=value), name), code, reason)
    assert (purse.balance(), purse.transactions()["transactions"]) == (NOTHING, [])


@pytest.mark.rules("X402-TOP-003", "X402-TOP-010")
@pytest.mark.parametrize("garbage", ["%", "AAAA", encode([]), encode("x"), "A" * 20_000])
def test_garbage_is_refused_under_every_name(client: Client, garbage: str) -> None:
    for name in NAMES:
        refused(hand_in(client, garbage, name), "INVALID_PAYMENT_FORMAT")


@pytest.mark.rules("X402-TOP-030")
def test_a_wrong_token_without_a_name_is_a_signature_that_does_not_verify(client: Client) -> None:
    purse = Purse(freeze(client), ALICE)
    elsewhere = {**purse.offer(), "asset": BOB.address}
    refused(hand_in(client, purse.payment(offer=elsewhere)), "UNSUPPORTED_TOKEN")
    flat = purse.payment(offer=elsewhere, shape="v1")
    refused(hand_in(client, flat), "PAYMENT_VERIFICATION_FAILED", "signature_mismatch")


@pytest.mark.rules("X402-TOP-027")
def test_a_solana_payment_names_our_fee_payer_and_our_receiver(client: Client) -> None:
    purse = Purse(client, SOLANGE)
    offer = purse.offer()
    other = wallet_of("venice-mock test: somebody else on Solana", "solana").address
    stranger = purse.payment(offer={**offer, "extra": {**offer["extra"], "feePayer": other}})
    refused(hand_in(client, stranger), "PAYMENT_VERIFICATION_FAILED", "fee_payer_mismatch")
    astray = edited(purse.payment(offer={**offer, "payTo": other}), "accepted", value=offer)
    refused(hand_in(client, astray), "INVALID_PAYMENT_RECIPIENT")
    assert purse.balance() == 0


# --- the simulated chain -------------------------------------------------------------------------------------


@pytest.mark.rules("X402-TOP-021", "X402-TOP-022", "X402-TOP-023", "X402-TOP-024")
@pytest.mark.parametrize(
    ("code", "status", "rule"),
    [
        ("SETTLEMENT_FAILED", 402, 21),
        ("PAYMENT_IN_PROGRESS", 409, 22),
        ("X402_NOT_CONFIGURED", 503, 23),
        ("SETTLEMENT_TIMEOUT", 504, 24),
    ],
)
@pytest.mark.parametrize("wallet", WALLETS, ids=KINDS)
def test_a_settlement_fails_as_the_file_says_for_that_wallet_only(
    make_client: MakeClient, tmp_path: Path, wallet: Wallet, code: str, status: int, rule: int
) -> None:
    file = wallets_file(tmp_path, settlements={wallet.address: code})
    purse, other = Purse(make_client(wallets=file), wallet), BOB
    reply = purse.top_up()
    refused(reply, code, status=status)
    assert reply.headers["x-mock-rule"] == f"X402-TOP-0{rule}"
    assert (purse.balance(), purse.transactions()["transactions"]) == (NOTHING, [])
    credited(Purse(purse.client, other).top_up(), other, "5", "5")
    spoilt = edited(purse.payment(), "payload", value={})
    assert hand_in(purse.client, spoilt).json["error"] == "INVALID_PAYMENT"  # looked at before the chain is


@pytest.mark.rules("X402-TOP-023")
def test_a_server_without_payments_says_so_to_everybody(make_client: MakeClient, tmp_path: Path) -> None:
    client = make_client(wallets=wallets_file(tmp_path, settlements={"*": "X402_NOT_CONFIGURED"}))
    refused(client.send(path=TOP_UP, key=None), "X402_NOT_CONFIGURED", status=503)
    refused(hand_in(client, "%"), "X402_NOT_CONFIGURED", status=503)


@pytest.mark.rules("X402-TOP-020")
@pytest.mark.parametrize("wallet", WALLETS, ids=KINDS)
def test_nobody_pays_more_than_the_simulated_chain_holds(
    make_client: MakeClient, tmp_path: Path, wallet: Wallet
) -> None:
    file = wallets_file(tmp_path, usdc_onchain={wallet.address: 12_000_000, "*": 0})
    client = make_client(wallets=file)
    purse = Purse(client, wallet)
    header = purse.payment()
    credited(hand_in(client, header), wallet, "5", "5")
    refused(purse.top_up(7_000_001), "PAYMENT_VERIFICATION_FAILED", "insufficient_funds")
    again = hand_in(client, header)
    assert (again.status, again.json) == (409, REPEATED)  # a repeat spends nothing
    credited(purse.top_up(7_000_000), wallet, "7", "12")
    refused(purse.top_up(), "PAYMENT_VERIFICATION_FAILED", "insufficient_funds")
    refused(Purse(client, BOB).top_up(), "PAYMENT_VERIFICATION_FAILED", "insufficient_funds")


@pytest.mark.rules("X402-TOP-025")
def test_the_eleventh_top_up_of_a_minute_is_too_many_where_limits_are_real(make_client: MakeClient) -> None:
    client = freeze(make_client(limits="real"))
    assert [client.send(path=TOP_UP, key=None).status for _ in range(10)] == [402] * 10
    reply = client.send(path=TOP_UP, key=None)
    assert (reply.status, reply.json, reply.headers["retry-after"]) == (429, RATE_LIMITED, "60")
    advance(client, 59.5)
    assert client.send(path=TOP_UP, key=None).headers["retry-after"] == "1"
    advance(client, 0.5)
    assert len(offers_of(client)) == 2
    relaxed = make_client()
    assert {relaxed.send(path=TOP_UP, key=None).status for _ in range(40)} == {402}
