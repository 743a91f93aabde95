"""Keys and signatures, against eth-account and libsodium, which share no code with what the wallets use."""

from __future__ import annotations

import base64
import subprocess
import sys

import base58
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey

from venice_contract.wallets import (
    Kind,
    flip_bit,
    make_wallet,
    sign_bytes,
    sign_digest,
    sign_text,
    write_signature,
)
from wallet_tools import WALLETS, entropy

EVM, SOLANA = WALLETS["evm"], WALLETS["solana"]
ENTROPY = st.binary(min_size=32, max_size=32).filter(any)


@given(ENTROPY)
def test_an_evm_address_is_the_checksummed_one_of_the_key(secret: bytes) -> None:
    assert make_wallet("evm", secret).address == Account.from_key(secret).address


@given(ENTROPY)
def test_a_solana_address_is_the_public_key_in_base58(secret: bytes) -> None:
    assert (
        make_wallet("solana", secret).address
        == base58.b58encode(bytes(SigningKey(secret).verify_key)).decode()
    )


@given(st.text())
def test_an_evm_wallet_signs_texts_as_personal_sign_does(text: str) -> None:
    expected = Account.sign_message(encode_defunct(text=text), EVM.secret).signature.to_0x_hex()
    assert sign_text(EVM, text) == expected


@given(st.text())
def test_a_solana_wallet_signs_the_bytes_of_a_text(text: str) -> None:
    signature = base58.b58decode(sign_text(SOLANA, text))
    assert VerifyKey(base58.b58decode(SOLANA.address)).verify(text.encode(), signature) == text.encode()


@pytest.mark.parametrize(
    ("kind", "secret"),
    [("evm", b"\1" * 31), ("solana", b"\1" * 33), ("evm", bytes(32)), ("evm", b"\xff" * 32)],
)
def test_bytes_that_are_no_key_make_no_wallet(kind: Kind, secret: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        make_wallet(kind, secret)


@pytest.mark.parametrize("kind", ["evm", "solana"])
def test_a_wallet_shown_does_not_show_its_secret(kind: Kind) -> None:
    shown = repr(make_wallet(kind, entropy(1)))
    assert "secret" not in shown
    assert entropy(1).hex() not in shown
    assert repr(entropy(1)) not in shown


def test_solana_wallets_do_not_sign_digests() -> None:
    with pytest.raises(ValueError, match="only EVM"):
        sign_digest(SOLANA, bytes(32))


def test_the_mirrored_signature_is_by_the_same_key_with_s_in_the_upper_half() -> None:
    raw = sign_bytes(EVM, b"hello")
    mirrored = bytes.fromhex(write_signature(raw, "mirrored")[2:])
    assert mirrored[:32] == raw[:32]
    assert int.from_bytes(mirrored[32:64], "big") > int.from_bytes(raw[32:64], "big")
    v, r, s = mirrored[64], int.from_bytes(mirrored[:32], "big"), int.from_bytes(mirrored[32:64], "big")
    assert Account.recover_message(encode_defunct(b"hello"), vrs=(v, r, s)) == EVM.address


def test_the_other_forms_of_an_evm_signature_hold_the_plain_one() -> None:
    raw = sign_bytes(EVM, b"hello")
    assert write_signature(raw) == "0x" + raw.hex()
    assert write_signature(raw, "bare") == raw.hex()
    wrapped = bytes.fromhex(write_signature(raw, "erc6492")[2:])
    assert wrapped[-32:] == bytes.fromhex("6492" * 16)
    assert len(wrapped) % 32 == 0
    words = [int.from_bytes(wrapped[at : at + 32], "big") for at in range(0, 32 * 5, 32)]
    offset = words[2]  # of the third argument, the signature
    assert int.from_bytes(wrapped[offset : offset + 32], "big") == 65
    assert wrapped[offset + 32 : offset + 97] == raw


def test_a_solana_signature_is_written_in_base58_or_base64_only() -> None:
    raw = sign_bytes(SOLANA, b"hello")
    assert base58.b58decode(write_signature(raw)) == raw
    assert base64.b64decode(write_signature(raw, "base64")) == raw
    with pytest.raises(ValueError, match="no form mirrored"):
        write_signature(raw, "mirrored")


@given(st.binary(min_size=1, max_size=65), st.data())
def test_one_bit_is_flipped_and_flipped_back(raw: bytes, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    once = flip_bit(raw, bit)
    assert sum((a ^ b).bit_count() for a, b in zip(raw, once, strict=True)) == 1
    assert flip_bit(once, bit) == raw


def test_a_bit_beyond_the_end_is_refused() -> None:
    with pytest.raises(IndexError, match="no bit 8"):
        flip_bit(b"\0", 8)


def test_importing_the_wallets_loads_no_cryptographic_library_and_nothing_of_the_mock() -> None:
    code = (
        "import sys, venice_contract.wallets\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules}"
        " & {'eth_keys', 'eth_hash', 'Crypto', 'base58', 'venice_mock'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_making_and_using_a_wallet_loads_nothing_of_the_mock() -> None:
    code = (
        "import sys\nfrom venice_contract.wallets import make_wallet, sign_text\n"
        "for kind in ('evm', 'solana'): sign_text(make_wallet(kind, b'1' * 32), 'x')\n"
        "print('venice_mock' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
