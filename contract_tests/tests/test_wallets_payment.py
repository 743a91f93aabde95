"""EVM payments: hashed as eth-account does and real clients did, accepted when good, refused by one fault at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from venice_contract.wallets import (
    ABSENT,
    SHAPES,
    Payment,
    Shape,
    TokenDomain,
    authorization_digest,
    choose_offer,
    good_payment,
    make_wallet,
    read_base64_json,
)
from wallet_tools import NOW, OFFERS, PAYMENTS, STRANGERS, WALLETS, entropy, pay, pay_verdict

WALLET, OFFER = WALLETS["evm"], OFFERS["evm"]
OTHER = STRANGERS["evm"].address
USDC = TokenDomain("USD Coin", "2", 8453, OFFER["asset"])
UINT = st.integers(0, 2**256 - 1)
ADDRESS = st.integers(1, 2**64).map(lambda n: make_wallet("evm", n.to_bytes(32, "big")).address)


def good(shape: Shape = "v2", **given_: Any) -> Payment:
    return good_payment(WALLET, OFFER, **{"now": NOW, "nonce": entropy(9), "shape": shape, **given_})


def verdict(payment: Payment, now: float = NOW) -> str:
    return pay_verdict(payment.header(WALLET), now)


def taken(amount: int) -> str:
    return f"{WALLET.address.lower()} {amount}"


@given(ADDRESS, ADDRESS, UINT, UINT, UINT, st.binary(min_size=32, max_size=32))
def test_an_authorization_is_hashed_and_signed_as_eth_account_does(
    payer: str, receiver: str, value: int, after: int, before: int, nonce: bytes
) -> None:
    fields = (
        "address from",
        "address to",
        "uint256 value",
        "uint256 validAfter",
        "uint256 validBefore",
        "bytes32 nonce",
    )
    types = [dict(zip(("type", "name"), each.split(), strict=True)) for each in fields]
    signable = encode_typed_data(
        {"name": "USD Coin", "version": "2", "chainId": 8453, "verifyingContract": OFFER["asset"]},
        {"TransferWithAuthorization": types},
        {
            "from": payer,
            "to": receiver,
            "value": value,
            "validAfter": after,
            "validBefore": before,
            "nonce": nonce,
        },
    )
    payment = replace(
        good(), payer=payer, receiver=receiver, value=str(value), valid_after=after, valid_before=str(before),
        nonce="0x" + nonce.hex(),
    )  # fmt: skip
    expected = Account.sign_message(signable, WALLET.secret)
    assert payment.digest() == expected.message_hash
    assert payment.content(WALLET)["payload"]["signature"] == expected.signature.to_0x_hex()


SIGNED = [
    case
    for case in PAYMENTS["cases"]
    if "authorization" in case.get("decoded", {}).get("payload", {})
    and case["name"] not in ("neg-tampered-value", "neg-wrong-eip712-name", "neg-sepolia-network")
]


@pytest.mark.parametrize("case", SIGNED, ids=lambda case: case["name"])
def test_the_digest_is_the_one_that_real_clients_signed(case: dict[str, Any]) -> None:
    payload = case["decoded"]["payload"]
    said = payload["authorization"]
    digest = authorization_digest(
        USDC, payer=said["from"], receiver=said["to"], value=said["value"], valid_after=said["validAfter"],
        valid_before=said["validBefore"], nonce=said["nonce"],
    )  # fmt: skip
    assert Account._recover_hash(digest, signature=payload["signature"]) == PAYMENTS["evm"]["address"]


def test_real_clients_of_all_three_shapes_are_among_them() -> None:
    assert len(SIGNED) >= 9
    shapes = {(c["decoded"]["x402Version"], "accepted" in c["decoded"]) for c in SIGNED}
    assert shapes == {(1, False), (2, False), (2, True)}


@pytest.mark.parametrize(
    ("shape", "name"),
    [("v1", "evm-x402-v1-version1"), ("hybrid", "evm-x402-v1-version2-hybrid"), ("v2", "evm-x402-v2")],
)
def test_each_shape_has_the_members_of_the_real_client(shape: Shape, name: str) -> None:
    def outline(value: Any) -> Any:
        return (
            {key: outline(inner) for key, inner in value.items()} if isinstance(value, dict) else type(value)
        )

    real = next(case for case in PAYMENTS["cases"] if case["name"] == name)["decoded"]
    sent = read_base64_json(good(shape).header(WALLET))
    assert outline(sent) == outline(real)
    envelope = ("x402Version", "scheme", "network", "accepted")
    assert {k: sent[k] for k in envelope if k in sent} == {k: real[k] for k in envelope if k in real}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("amount", [None, 5_000_000, 12_500_001, 10_000_000_000])
def test_a_good_payment_is_accepted_for_the_amount_that_was_signed(shape: Shape, amount: int | None) -> None:
    assert verdict(good(shape, amount=amount)) == taken(amount or 5_000_000)


def test_a_good_payment_is_accepted_under_each_name_of_the_network_and_in_any_letter_case() -> None:
    for network in ("base", "eip155:8453"):
        for shape in SHAPES:
            assert verdict(replace(good(shape), network=network)) == taken(5_000_000)
    assert verdict(replace(good(), receiver="0x" + OFFER["payTo"][2:].upper())) == taken(5_000_000)
    assert verdict(replace(good(), valid_after="0")) == taken(5_000_000)


VERIFY = "PAYMENT_VERIFICATION_FAILED"
NO_AMOUNTS: tuple[Any, ...] = ("five", "-1", "5000000.5", "5e6", "", 1.5, None, [])
ANY_SHAPE: list[tuple[str, dict[str, Any]]] = [
    ("INVALID_PAYMENT_FORMAT", {"version": 3}),
    ("INVALID_PAYMENT_FORMAT", {"version": "2"}),
    ("INVALID_PAYMENT_FORMAT", {"version": ABSENT}),
    ("INVALID_PAYMENT_FORMAT", {"envelope": {"payload": ABSENT}}),
    ("INVALID_PAYMENT_FORMAT", {"envelope": {"payload": "x"}}),
    ("UNSUPPORTED_NETWORK", {"network": "base-sepolia"}),
    ("UNSUPPORTED_NETWORK", {"network": "eip155:84532"}),
    ("UNSUPPORTED_NETWORK", {"network": ABSENT}),
    ("UNSUPPORTED_SCHEME", {"scheme": "upto"}),
    ("UNSUPPORTED_SCHEME", {"scheme": ABSENT}),
    ("INVALID_PAYMENT", {"payload": {"signature": ABSENT}}),
    ("INVALID_PAYMENT", {"payload": {"authorization": ABSENT}}),
    ("INVALID_PAYMENT", {"nonce": "0x12"}),
    ("INVALID_PAYMENT", {"nonce": ABSENT}),
    ("INVALID_PAYMENT", {"valid_after": "soon"}),
    ("INVALID_PAYMENT", {"valid_before": None}),
    ("INVALID_PAYMENT_RECIPIENT", {"receiver": OTHER}),
    ("INVALID_PAYMENT_RECIPIENT", {"receiver": ABSENT}),
    *(("INVALID_AMOUNT", {"value": value}) for value in NO_AMOUNTS),
    ("INVALID_AMOUNT", {"value": str(2**256)}),
    ("INVALID_PAYMENT_PAYER", {"payer": ABSENT}),
    ("INVALID_PAYMENT_PAYER", {"payer": "0x1234"}),
    ("AMOUNT_TOO_LOW", {"value": "4999999"}),
    ("AMOUNT_TOO_LOW", {"value": "0"}),
    ("AMOUNT_TOO_HIGH", {"value": "10000000001"}),
    (f"{VERIFY} not_yet_valid", {"valid_after": str(int(NOW) + 60)}),
    (f"{VERIFY} expired", {"valid_before": str(int(NOW) - 1)}),
    (f"{VERIFY} signature_mismatch", {"flipped_bit": 3}),
    (f"{VERIFY} signature_mismatch", {"flipped_bit": 400}),
    (f"{VERIFY} signature_mismatch", {"form": "mirrored"}),
    (f"{VERIFY} signature_mismatch", {"form": "erc6492"}),
    (f"{VERIFY} signature_mismatch", {"payer": OTHER}),
    (f"{VERIFY} signature_mismatch", {"authorization": {"value": "9000000"}}),
    (f"{VERIFY} signature_mismatch", {"domain": replace(USDC, contract="0x" + "11" * 20)}),
    (f"{VERIFY} signature_mismatch", {"domain": replace(USDC, name="USDC")}),
    (f"{VERIFY} signature_mismatch", {"domain": replace(USDC, version="1")}),
    (f"{VERIFY} signature_mismatch", {"domain": replace(USDC, chain_id=1)}),
]
ONLY_V2: list[tuple[str, dict[str, Any]]] = [
    ("UNSUPPORTED_TOKEN", {"accepted": {**OFFER, "asset": "0x" + "11" * 20}}),
    ("INVALID_PAYMENT_RECIPIENT", {"accepted": {**OFFER, "payTo": OTHER}}),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("code", "fault"), ANY_SHAPE, ids=[f"{code}-{fault}" for code, fault in ANY_SHAPE])
def test_one_fault_is_refused_by_its_own_code(shape: Shape, code: str, fault: dict[str, Any]) -> None:
    assert verdict(replace(good(shape), **fault)) == code


@pytest.mark.parametrize(("code", "fault"), ONLY_V2)
def test_a_fault_of_the_chosen_requirement_shows_in_version_2_alone(code: str, fault: dict[str, Any]) -> None:
    assert verdict(replace(good("v2"), **fault)) == code
    assert verdict(replace(good("hybrid"), **fault)) == taken(5_000_000)


@pytest.mark.parametrize("shape", SHAPES)
def test_another_wallets_signature_does_not_pay(shape: Shape) -> None:
    assert pay_verdict(good(shape).header(STRANGERS["evm"])) == f"{VERIFY} signature_mismatch"


def test_the_same_payment_in_three_shapes_is_one_payment_and_another_nonce_another() -> None:
    ids = {pay(good(shape).header(WALLET)).payment_id for shape in SHAPES}
    assert len(ids) == 1
    assert pay(good(nonce=entropy(10)).header(WALLET)).payment_id not in ids


def test_the_offer_for_a_wallet_is_the_first_on_its_kind_of_chain() -> None:
    for kind in ("evm", "solana"):
        assert choose_offer(PAYMENTS["accepts"], kind) == OFFERS[kind]
    assert choose_offer([{"network": "solana"}], "solana") == {"network": "solana"}
    with pytest.raises(ValueError, match="kind evm"):
        choose_offer([OFFERS["solana"], {}], "evm")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"network": "base"}, "eip155"),
        ({"extra": None}, "extra"),
        ({"payTo": "nobody"}, "payTo is no EVM address"),
        ({"asset": None}, "asset is no EVM address"),
    ],
)
def test_an_offer_that_cannot_be_paid_is_told_in_a_sentence(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        good_payment(WALLET, {**OFFER, **change}, now=NOW, nonce=entropy(1))
