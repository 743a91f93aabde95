"""Ethereum cryptography, cross-checked with eth-account in both directions."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_mock.wallet import evm
from wallet_kit import BASE, EVM, OFFERS, PAYMENTS, entropy

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SECRETS = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
NUMBERS = st.integers(0, 2**256 - 1)
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
AUTHORIZATIONS = st.builds(
    evm.TransferAuthorization,
    ADDRESSES,
    ADDRESSES,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.binary(min_size=32, max_size=32),
)


def typed_data(authorization: evm.TransferAuthorization) -> dict[str, Any]:
    fields = {"from": "address", "to": "address", "value": "uint256"}
    fields |= {"validAfter": "uint256", "validBefore": "uint256", "nonce": "bytes32"}
    domain = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
    return {
        "primaryType": "TransferWithAuthorization",
        "types": {
            name: [{"name": key, "type": kind} for key, kind in each.items()]
            for name, each in {"EIP712Domain": domain, "TransferWithAuthorization": fields}.items()
        },
        "domain": {
            "name": "USD Coin",
            "version": "2",
            "chainId": 8453,
            "verifyingContract": OFFERS[BASE]["asset"],
        },
        "message": {
            "from": authorization.payer,
            "to": authorization.receiver,
            "value": authorization.value,
            "validAfter": authorization.valid_after,
            "validBefore": authorization.valid_before,
            "nonce": authorization.nonce,
        },
    }


@settings(deadline=None, max_examples=25)
@given(SECRETS, st.text(max_size=300))
def test_a_personal_message_is_signed_and_recovered_as_eth_account_does(secret: bytes, text: str) -> None:
    account = Account.from_key(secret)
    assert evm.address_of(secret) == account.address
    digest = evm.personal_message_hash(text)
    theirs = account.sign_message(encode_defunct(text=text))
    ours = evm.sign(digest, secret)
    assert digest == theirs.message_hash
    assert ours == "0x" + theirs.signature.hex().removeprefix("0x")
    assert evm.recover(digest, ours) == account.address.lower()
    assert Account.recover_message(encode_defunct(text=text), signature=ours) == account.address


@settings(deadline=None, max_examples=25)
@given(SECRETS, AUTHORIZATIONS)
def test_an_authorization_is_hashed_and_signed_as_eth_account_does(
    secret: bytes, authorization: evm.TransferAuthorization
) -> None:
    domain = PAYMENTS.networks[0].domain
    assert domain is not None
    digest = evm.transfer_authorization_hash(authorization, domain=domain, contract=OFFERS[BASE]["asset"])
    account = Account.from_key(secret)
    signable = encode_typed_data(full_message=typed_data(authorization))
    theirs = account.sign_message(signable)
    assert digest == theirs.message_hash
    assert evm.recover(digest, "0x" + theirs.signature.hex().removeprefix("0x")) == account.address.lower()
    assert Account.recover_message(signable, signature=evm.sign(digest, secret)) == account.address


@settings(deadline=None, max_examples=60)
@given(
    st.binary(min_size=32, max_size=32), st.binary(min_size=65, max_size=65), st.sampled_from([0, 1, 27, 28])
)
def test_no_65_bytes_raise_and_what_is_recovered_is_an_address(digest: bytes, raw: bytes, v: int) -> None:
    for signature in (raw, raw[:64] + bytes([v]), raw[:32] + b"\0" + raw[33:64] + bytes([v])):
        found = evm.recover(digest, "0x" + signature.hex())
        assert found is None or (evm.is_address(found) and found == found.lower())


def test_a_high_s_is_refused_although_it_recovers_to_the_same_key() -> None:
    digest = evm.personal_message_hash("hello")
    signature = evm.sign(digest, entropy(1))
    s, v = int(signature[66:130], 16), int(signature[130:], 16)
    twin = f"{signature[:66]}{ORDER - s:064x}{55 - v:02x}"
    assert Account.recover_message(encode_defunct(text="hello"), signature=twin) == EVM.address
    assert evm.recover(digest, signature) == EVM.address.lower()
    assert evm.recover(digest, twin) is None


@pytest.mark.parametrize(
    "secret", [b"", bytes(32), b"\xff" * 32, ORDER.to_bytes(32, "big"), bytes(31) + b"\1\1"]
)
def test_what_is_no_key_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="EVM secret"):
        evm.address_of(secret)


@pytest.mark.parametrize(
    "text", ["", "0x", EVM.address[:-1], EVM.address + "0", EVM.address[2:], EVM.address + "\n"]
)
def test_an_address_is_0x_and_forty_hex_digits(text: str) -> None:
    assert not evm.is_address(text)
    assert evm.is_address(EVM.address)
    assert evm.is_address(EVM.address.lower())
