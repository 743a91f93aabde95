"""Throwaway wallets: made from given bytes, their headers accepted by the verifiers."""

from __future__ import annotations

from typing import Any

import base58
import pytest
from eth_account import Account

from venice_mock.wallet.signing import Wallet, new_wallet, open_wallet, payment_header, sign_in_header
from wallet_kit import (
    BASE,
    EVM,
    NOW,
    OFFERS,
    PAYMENTS,
    SIGN_IN,
    SOL,
    SOLANA,
    decode,
    entropy,
    pay,
    sign_in,
    sign_in_code,
    wallet_on,
)


def header_of(wallet: Wallet, **changes: Any) -> str:
    chain = SIGN_IN.evm_chain if wallet.kind == "evm" else SIGN_IN.solana_chain
    said: dict[str, Any] = {"domain": "127.0.0.1:8402", "uri": "http://127.0.0.1:8402/x", "chain": chain}
    return sign_in_header(wallet, **{**said, "now": NOW, "nonce": "abcdefgh12345678", **changes})


def test_a_wallet_is_what_other_software_makes_of_the_same_secret() -> None:
    assert Account.from_key(EVM.secret).address == EVM.address
    raw = base58.b58decode(SOL.secret)
    assert (raw[:32], base58.b58encode(raw[32:]).decode()) == (entropy(1), SOL.address)


@pytest.mark.parametrize("wallet", [EVM, SOL], ids=["evm", "solana"])
def test_a_wallet_is_opened_again_by_its_secret_which_is_not_shown(wallet: Wallet) -> None:
    assert open_wallet(wallet.secret) == wallet
    assert wallet.secret not in repr(wallet)


@pytest.mark.parametrize(
    "secret",
    ["", "0x", "0x12", "0xzz", EVM.secret + "00", EVM.secret[2:], SOL.address, SOL.secret[:-1] + "1"],
)
def test_a_text_that_is_no_secret_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match=r"not an? ") as caught:
        open_wallet(secret)
    assert len(secret) < 9 or secret not in str(caught.value)


@pytest.mark.parametrize("kind", ["evm", "solana"])
@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_wallet_is_made_of_32_bytes(kind: Any, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        new_wallet(kind, entropy=bytes(length))


@pytest.mark.parametrize("structured", [False, True])
@pytest.mark.parametrize("statement", [None, "Sign in"])
@pytest.mark.parametrize("wallet", [EVM, SOL], ids=["evm", "solana"])
def test_a_signed_header_is_accepted_as_its_wallet(wallet: Wallet, statement: Any, structured: bool) -> None:
    header = header_of(
        wallet,
        statement=statement,
        structured=structured,
        life_s=120,
        not_before=NOW - 5,
        request_id="7",
        resources=["https://a", "https://b"],
    )
    found = sign_in(header)
    assert found.kind == wallet.kind
    assert found.address == (wallet.address.lower() if wallet.kind == "evm" else wallet.address)
    assert (found.nonce, found.issued_at, found.ends_at) == ("abcdefgh12345678", NOW, NOW + 120)
    assert ("message" in decode(header)) is not structured
    assert sign_in_code(header, NOW - 10) == "NOT_BEFORE"


def test_the_same_arguments_give_the_same_header_and_other_ones_another() -> None:
    assert header_of(EVM) == header_of(EVM)
    assert header_of(EVM) != header_of(EVM, nonce="other-nonce")
    assert "timestamp" not in decode(header_of(EVM, timestamp=False))
    assert decode(header_of(EVM))["timestamp"] == NOW * 1000


@pytest.mark.parametrize("shape", ["v1", "hybrid", "v2"])
@pytest.mark.parametrize("network", [BASE, SOLANA])
def test_a_payment_is_accepted_with_its_amount_and_payer(network: str, shape: Any) -> None:
    wallet = wallet_on(network)
    header = payment_header(
        wallet,
        offer=OFFERS[network],
        facts=PAYMENTS,
        micro_usdc=7_654_321,
        now=NOW + 0.5,
        nonce=entropy(3),
        shape=shape,
    )
    found = pay(header)
    assert (found.network, found.micro_usdc) == (network, 7_654_321)
    assert found.payer == (wallet.address.lower() if network == BASE else wallet.address)
    assert ("accepted" in decode(header)) is (shape == "v2")


def test_an_offer_that_cannot_be_paid_is_refused() -> None:
    given: dict[str, Any] = {"facts": PAYMENTS, "micro_usdc": 5_000_000, "now": NOW, "nonce": entropy(3)}
    with pytest.raises(ValueError, match="cannot pay on solana"):
        payment_header(EVM, offer=OFFERS[SOLANA], **given)
    with pytest.raises(ValueError, match="cannot pay on eip155:1"):
        payment_header(EVM, offer={**OFFERS[BASE], "network": "eip155:1"}, **given)
    with pytest.raises(ValueError, match="32 bytes"):
        payment_header(EVM, offer=OFFERS[BASE], **{**given, "nonce": b"short"})
    with pytest.raises(ValueError, match="an address that is none"):
        payment_header(SOL, offer={**OFFERS[SOLANA], "payTo": "nobody"}, **given)
