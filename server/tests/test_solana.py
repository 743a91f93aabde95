"""Solana cryptography and transactions, cross-checked with pynacl and with real clients' transactions."""

from __future__ import annotations

import base64
import hashlib

import base58
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from venice_mock.wallet import solana, transactions
from venice_mock.wallet.transactions import parse_transaction, serialise_message, serialise_transaction
from wallet_kit import OFFERS, PAID, SOLANA

BYTES32 = st.binary(min_size=32, max_size=32)
MINT = base58.b58decode(OFFERS[SOLANA]["asset"])
REAL = [
    base64.b64decode(case["decoded"]["payload"]["transaction"])
    for case in PAID["cases"]
    if "transaction" in case.get("decoded", {}).get("payload", {})
]


@settings(deadline=None, max_examples=25)
@given(BYTES32, st.binary(max_size=300))
def test_signatures_are_made_and_verified_as_pynacl_does(seed: bytes, message: bytes) -> None:
    theirs = SigningKey(seed)
    public_key = solana.public_key_of(seed)
    assert public_key == bytes(theirs.verify_key)
    signature = solana.sign(message, seed)
    assert signature == theirs.sign(message).signature
    assert theirs.verify_key.verify(message, signature) == message
    assert solana.verify(public_key, message, signature)
    assert not solana.verify(public_key, message + b".", signature)


@settings(deadline=None, max_examples=40)
@given(BYTES32, st.integers(0, 63), st.integers(1, 255))
def test_a_changed_signature_is_refused_by_both(seed: bytes, at: int, change: int) -> None:
    signature = bytearray(solana.sign(b"m", seed))
    signature[at] ^= change
    assert not solana.verify(solana.public_key_of(seed), b"m", bytes(signature))
    with pytest.raises(BadSignatureError):
        SigningKey(seed).verify_key.verify(b"m", bytes(signature))


@settings(deadline=None, max_examples=40)
@given(BYTES32, st.binary(min_size=64, max_size=64))
def test_no_key_and_signature_raise(public_key: bytes, signature: bytes) -> None:
    assert not solana.verify(public_key, b"m", signature)


def test_keys_of_small_order_are_refused_although_anyone_can_sign_for_them() -> None:
    identity = b"\1" + bytes(31)
    forged = identity + bytes(32)
    assert not solana.verify(identity, b"anything", forged)
    with pytest.raises(BadSignatureError):
        VerifyKey(identity).verify(b"anything", forged)


@settings(deadline=None, max_examples=80)
@given(BYTES32.map(lambda raw: hashlib.sha256(raw).digest()))
def test_a_point_is_on_the_curve_when_its_x_squared_is_a_square(raw: bytes) -> None:
    p = 2**255 - 19
    y = int.from_bytes(raw, "little") % 2**255
    d = -121665 * pow(121666, -1, p) % p
    x_squared = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    assert solana.is_on_curve(raw) == (pow(x_squared, (p - 1) // 2, p) == 1)


def test_token_accounts_are_those_that_real_clients_derived() -> None:
    for raw, receiver in ((REAL[0], OFFERS[SOLANA]["payTo"]), (REAL[1], None)):
        transfer = transactions.read_transfer(parse_transaction(raw).message)
        assert transfer.authority == base58.b58decode(PAID["solana"]["address"])
        assert transfer.source == solana.token_account(transfer.authority, MINT)
        if receiver is not None:
            assert transfer.destination == solana.token_account(base58.b58decode(receiver), MINT)
        assert (transfer.mint, transfer.amount, transfer.decimals) == (MINT, 5_000_000, 6)


def test_a_derived_address_is_off_the_curve_and_depends_on_all_of_its_seeds() -> None:
    owners = [solana.public_key_of(bytes([n]) * 32) for n in range(8)]
    accounts = {solana.token_account(owner, mint) for owner in owners for mint in (MINT, owners[0])}
    assert len(accounts) == 16
    assert not any(solana.is_on_curve(account) for account in accounts)
    assert all(solana.is_on_curve(owner) for owner in owners)


def test_an_address_is_base58_of_32_bytes() -> None:
    address = PAID["solana"]["address"]
    raw = solana.decode_address(address)
    assert raw is not None
    assert solana.encode_base58(raw) == address
    assert solana.decode_address("1" * 32) == bytes(32)
    for wrong in (
        "",
        address[:-1] + "0",
        address[:-2],
        address + "1",
        "1" * 33,
        "l" * 40,
        address + "\n",
        "é" * 40,
    ):
        assert solana.decode_address(wrong) is None


def test_a_real_transaction_survives_reading_and_writing() -> None:
    assert len(REAL) == 2
    for raw in REAL:
        read = parse_transaction(raw)
        assert serialise_message(read.message) == read.signed
        assert serialise_transaction(read.signatures, read.signed) == raw


@pytest.mark.parametrize(
    ("at", "byte"),
    [
        (0, 1),  # signatures
        (129, 0x81),  # version
        (129, 2),  # no version: a legacy message
        (130, 1),  # required signatures
        (130, 0),
        (131, 2),  # read-only among them
        (133, 0),  # accounts
        (-1, 1),  # look-up tables
    ],
)
def test_a_transaction_that_contradicts_itself_is_not_read(at: int, byte: int) -> None:
    raw = bytearray(REAL[0])
    assert raw[at] != byte
    raw[at] = byte
    with pytest.raises(ValueError, match=r"^[a-z]"):
        parse_transaction(bytes(raw))


def test_a_transaction_is_read_whole_or_not_at_all() -> None:
    for end in range(len(REAL[0])):
        with pytest.raises(ValueError, match=r"^[a-z]"):
            parse_transaction(REAL[0][:end])
    for tail in (b"\0", b"\0" * 1000):
        with pytest.raises(ValueError, match=r"^[a-z]"):
            parse_transaction(REAL[0] + tail)


def test_an_account_named_twice_or_out_of_reach_is_not_read() -> None:
    raw = REAL[0]
    first, second = raw[134:166], raw[166:198]
    with pytest.raises(ValueError, match="twice"):
        parse_transaction(raw.replace(second, first))
    with pytest.raises(ValueError, match="not there"):
        parse_transaction(raw.replace(bytes([4, 2, 5, 3, 1, 10, 12]), bytes([4, 2, 5, 3, 99, 10, 12])))


def test_lengths_are_in_their_shortest_form() -> None:
    for spelling in (b"\x82\x00", b"\x82\x80\x00", b"\x82\x80\x80\x00", b"\xff\xff\xff"):
        with pytest.raises(ValueError, match="compact-u16"):
            parse_transaction(spelling + REAL[0][1:])
