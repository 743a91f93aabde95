"""Solana payments: built as a real client builds them, accepted when good, refused by one fault at a time."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any

import base58
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from venice_contract.wallets import (
    ABSENT,
    SHAPES,
    Shape,
    SolanaPayment,
    good_solana_payment,
    make_wallet,
    read_base64_json,
    token_account,
)
from wallet_tools import NOW, OFFERS, PAYMENTS, STRANGERS, WALLETS, entropy, pay, pay_verdict

WALLET, OFFER, STRANGER = WALLETS["solana"], OFFERS["solana"], STRANGERS["solana"].address
MINT = OFFER["asset"]
REAL: dict[str, Any] = next(case for case in PAYMENTS["cases"] if case["name"] == "svm-x402-v2")["decoded"]
COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111"
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
ACCOUNT = st.binary(min_size=32, max_size=32).map(lambda raw: base58.b58encode(raw).decode())


def good(shape: Shape = "v2", **given_: Any) -> SolanaPayment:
    return good_solana_payment(WALLET, OFFER, **{"nonce": entropy(9), "shape": shape, **given_})


def verdict(payment: SolanaPayment) -> str:
    return pay_verdict(payment.header(WALLET), NOW)


def taken(amount: int) -> str:
    return f"{WALLET.address} {amount}"


@dataclass(frozen=True)
class Read:
    """A transaction taken apart by the layout in Solana's documents."""

    signatures: list[bytes]
    signed: bytes
    signers: list[str]
    written: set[str]
    blockhash: bytes
    calls: list[tuple[str, list[str], bytes]]


def read(raw: bytes) -> Read:
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        assert at <= len(raw)
        return raw[at - count : at]

    def number() -> int:
        low = take(1)[0]
        return low if low < 0x80 else (low & 0x7F) + 0x80 * number()

    signatures = [take(64) for _ in range(number())]
    signed = raw[at:]
    assert take(1) == b"\x80"
    required, idle_signers, idle_others = take(3)
    accounts = [base58.b58encode(take(32)).decode() for _ in range(number())]
    blockhash = take(32)
    calls = []
    for _ in range(number()):
        program = accounts[take(1)[0]]
        named = [accounts[index] for index in take(number())]
        calls.append((program, named, take(number())))
    assert number() == 0
    assert at == len(raw)
    written = {*accounts[: required - idle_signers], *accounts[required : len(accounts) - idle_others]}
    return Read(signatures, signed, accounts[:required], written, blockhash, calls)


def read_payment(payment: SolanaPayment) -> Read:
    return read(payment.transaction(WALLET))


def test_a_transaction_says_what_a_real_client_says() -> None:
    real = read(base64.b64decode(REAL["payload"]["transaction"]))
    payer = PAYMENTS["solana"]["address"]
    source, destination = (token_account(owner, MINT) for owner in (payer, OFFER["payTo"]))
    memo = real.calls[3][2]
    ours = read_payment(replace(good(), payer=payer, source=source, memo=memo, blockhash=real.blockhash))
    assert ours.calls == real.calls
    assert ours.signers == real.signers == [OFFER["extra"]["feePayer"], payer]
    assert ours.written == real.written == {OFFER["extra"]["feePayer"], source, destination}
    assert ours.blockhash == real.blockhash
    assert len(good().memo) == len(memo)


def test_the_payer_signs_the_message_and_the_fee_payers_place_stays_empty() -> None:
    made = read_payment(good())
    mine = SigningKey(WALLET.secret).sign(made.signed).signature
    assert made.signatures == [bytes(64), mine]
    VerifyKey(base58.b58decode(WALLET.address)).verify(made.signed, mine)


@given(st.integers(0, 511))
def test_a_flipped_bit_spoils_the_signature_and_nothing_else(bit: int) -> None:
    made, spoilt = read_payment(good()), read_payment(replace(good(), flipped_bit=bit))
    assert replace(spoilt, signatures=made.signatures) == made
    with pytest.raises(BadSignatureError):
        VerifyKey(base58.b58decode(WALLET.address)).verify(spoilt.signed, spoilt.signatures[1])


@given(ACCOUNT, ACCOUNT, ACCOUNT, ACCOUNT, st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_every_part_is_written_where_it_belongs(
    source: str, mint: str, destination: str, fee_payer: str, amount: int, memo: bytes
) -> None:
    made = read_payment(
        replace(
            good(), source=source, mint=mint, destination=destination, fee_payer=fee_payer, amount=amount,
            memo=memo, decimals=amount % 256, blockhash=entropy(4),
        )
    )  # fmt: skip
    assert made.signers[0] == fee_payer
    assert set(made.signers) == {fee_payer, WALLET.address}
    assert {fee_payer, source, destination} <= made.written
    assert made.blockhash == entropy(4)
    assert made.calls == [
        (COMPUTE_BUDGET, [], b"\2" + (20_000).to_bytes(4, "little")),
        (COMPUTE_BUDGET, [], b"\3" + (1).to_bytes(8, "little")),
        (
            TOKEN,
            [source, mint, destination, WALLET.address],
            b"\x0c" + amount.to_bytes(8, "little") + bytes([amount % 256]),
        ),
        (MEMO, [], memo),
    ]


@given(st.integers(1, 2**64), st.integers(1, 2**64))
def test_a_token_account_has_no_key_and_depends_on_owner_and_mint(owner: int, mint: int) -> None:
    one, other = (make_wallet("solana", n.to_bytes(32, "big")).address for n in (owner, mint))
    account = token_account(one, other)
    assert not crypto_core_ed25519_is_valid_point(base58.b58decode(account))
    assert account not in (token_account(one, MINT), token_account(STRANGER, other))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("amount", [None, 5_000_000, 12_500_001, 10_000_000_000])
def test_a_good_payment_is_accepted_for_the_amount_that_was_signed(shape: Shape, amount: int | None) -> None:
    assert verdict(good(shape, amount=amount)) == taken(amount or 5_000_000)


def test_version_2_has_the_members_of_a_real_client_and_the_others_name_the_network_flat() -> None:
    sent: dict[str, Any] = {shape: read_base64_json(good(shape).header(WALLET)) for shape in SHAPES}
    assert {**sent["v2"], "payload": None} == {**REAL, "payload": None}
    for shape, version in (("v1", 1), ("hybrid", 2)):
        assert {**sent[shape], "payload": None} == {
            "x402Version": version, "scheme": "exact", "network": "solana", "payload": None,
        }  # fmt: skip
    assert all(list(each["payload"]) == ["transaction"] for each in sent.values())
    assert [len(read_payment(good(shape)).calls) for shape in SHAPES] == [3, 4, 4]


def test_a_good_payment_is_accepted_under_each_name_of_the_network() -> None:
    for network in ("solana", OFFER["network"]):
        for shape in SHAPES:
            assert verdict(replace(good(shape), network=network)) == taken(5_000_000)


VERIFY = "PAYMENT_VERIFICATION_FAILED"
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("INVALID_PAYMENT_FORMAT", {"version": 3}),
    ("INVALID_PAYMENT_FORMAT", {"envelope": {"payload": ABSENT}}),
    ("UNSUPPORTED_NETWORK", {"network": "solana-devnet"}),
    ("UNSUPPORTED_SCHEME", {"scheme": "upto"}),
    ("INVALID_PAYMENT", {"payload": {"transaction": ABSENT}}),
    ("INVALID_PAYMENT", {"payload": {"transaction": "AAAA"}}),
    ("INVALID_PAYMENT", {"layout": "legacy"}),
    ("INVALID_PAYMENT_RECIPIENT", {"destination": token_account(STRANGER, MINT)}),
    ("INVALID_PAYMENT_RECIPIENT", {"destination": OFFER["payTo"]}),
    ("INVALID_PAYMENT_PAYER", {"layout": "unsigned-payer"}),
    ("AMOUNT_TOO_LOW", {"amount": 4_999_999}),
    ("AMOUNT_TOO_HIGH", {"amount": 10_000_000_001}),
    (f"{VERIFY} instruction_count", {"layout": "four-memos"}),
    (f"{VERIFY} compute_budget", {"layout": "no-limit"}),
    (f"{VERIFY} compute_budget", {"layout": "no-price"}),
    (f"{VERIFY} compute_budget", {"layout": "swapped-budget"}),
    (f"{VERIFY} no_transfer_checked", {"layout": "no-transfer"}),
    (f"{VERIFY} no_transfer_checked", {"layout": "unchecked-transfer"}),
    (f"{VERIFY} extra_instruction", {"layout": "second-transfer"}),
    (f"{VERIFY} extra_instruction", {"layout": "foreign-program"}),
    (f"{VERIFY} fee_payer_in_instruction", {"layout": "fee-payer-named"}),
    (f"{VERIFY} fee_payer_in_instruction", {"fee_payer": WALLET.address}),
    (f"{VERIFY} fee_payer_mismatch", {"fee_payer": STRANGER}),
    (f"{VERIFY} asset_mismatch", {"mint": STRANGER}),
    (f"{VERIFY} asset_mismatch", {"decimals": 9}),
    (f"{VERIFY} signature_mismatch", {"flipped_bit": 300}),
    (f"{VERIFY} signature_mismatch", {"signed": False}),
    (f"{VERIFY} signature_mismatch", {"payer": STRANGER}),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("code", "fault"), FAULTS, ids=[f"{code}-{fault}" for code, fault in FAULTS])
def test_one_fault_is_refused_by_its_own_code(shape: Shape, code: str, fault: dict[str, Any]) -> None:
    assert verdict(replace(good(shape), **fault)) == code


def test_another_wallets_signature_does_not_pay() -> None:
    assert pay_verdict(good().header(STRANGERS["solana"])) == f"{VERIFY} signature_mismatch"


def test_the_same_payment_in_two_envelopes_is_one_payment_and_another_nonce_another() -> None:
    ids = {pay(good(shape).header(WALLET)).payment_id for shape in ("v2", "hybrid")}
    assert len(ids) == 1
    assert pay(good(nonce=entropy(10)).header(WALLET)).payment_id not in ids


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"network": "eip155:8453"}, "names solana"),
        ({"extra": None}, "extra"),
        ({"extra": {}}, "feePayer is no Solana address"),
        ({"payTo": "nobody"}, "payTo is no Solana address"),
        ({"asset": None}, "asset is no Solana address"),
    ],
)
def test_an_offer_that_cannot_be_paid_is_told_in_a_sentence(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        good_solana_payment(WALLET, {**OFFER, **change}, nonce=entropy(1))
