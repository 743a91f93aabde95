"""Ethereum hashing, signing and recovery, on eth-keys and eth-hash.

Only cryptography lives here. Importing this module imports those libraries, so others do it inside the
function that needs it: a server that meets no wallet never pays for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eth_hash.auto import keccak
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature

from venice_mock.contract.wallet_types import TypedDataDomain

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")
_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_TRANSFER_TYPE = (
    b"TransferWithAuthorization(address from,address to,uint256 value,"
    b"uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)


@dataclass(frozen=True, slots=True)
class TransferAuthorization:
    """What an EIP-3009 authorization says. Addresses as 0x hex, times in Unix seconds, 32 bytes of nonce."""

    payer: str
    receiver: str
    value: int
    valid_after: int
    valid_before: int
    nonce: bytes


def is_address(text: str) -> bool:
    """Whether ``text`` is 0x and 40 hex digits in any case: checksums are not demanded."""
    return _ADDRESS.fullmatch(text) is not None


def personal_message_hash(text: str) -> bytes:
    """The 32 bytes that ``personal_sign`` signs (EIP-191 version 0x45)."""
    raw = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(raw)).encode() + raw)


def transfer_authorization_hash(
    authorization: TransferAuthorization, *, domain: TypedDataDomain, contract: str
) -> bytes:
    """The EIP-712 digest of an authorization for the token at ``contract``.

    Numbers must fit in 256 bits and addresses be valid; the caller has seen to it.
    """
    separator = keccak(
        keccak(_DOMAIN_TYPE)
        + keccak(domain.name.encode())
        + keccak(domain.version.encode())
        + _word(domain.chain_id)
        + _address_word(contract)
    )
    struct = keccak(
        keccak(_TRANSFER_TYPE)
        + _address_word(authorization.payer)
        + _address_word(authorization.receiver)
        + _word(authorization.value)
        + _word(authorization.valid_after)
        + _word(authorization.valid_before)
        + authorization.nonce
    )
    return keccak(b"\x19\x01" + separator + struct)


def recover(digest: bytes, signature: str) -> str | None:
    """The lower-case address that signed ``digest``, or None when ``signature`` is none.

    It must be 0x and 65 bytes, v of 0, 1, 27 or 28 and s in the lower half: the upper half is the same
    signature written another way, which token contracts refuse. So EIP-6492 and EIP-2098 forms are none.
    """
    if not _SIGNATURE.fullmatch(signature):
        return None
    raw = bytes.fromhex(signature[2:])
    r, s, v = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64]
    if v not in (0, 1, 27, 28) or s > SECPK1_N // 2:
        return None
    try:
        return Signature(vrs=(v % 27, r, s)).recover_public_key_from_msg_hash(digest).to_address()
    except BadSignature:
        return None


def sign(digest: bytes, secret: bytes) -> str:
    """Sign 32 bytes: 0x, 65 bytes of hex, v 27 or 28. Deterministic (RFC 6979)."""
    raw = PrivateKey(secret).sign_msg_hash(digest).to_bytes()
    return "0x" + raw[:64].hex() + format(raw[64] + 27, "02x")


def address_of(secret: bytes) -> str:
    """The checksummed (EIP-55) address of a secret of 32 bytes. Raises ValueError when it is no key."""
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < SECPK1_N:
        raise ValueError("an EVM secret is 32 bytes, above zero and below the order of the curve")
    return PrivateKey(secret).public_key.to_checksum_address()


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _address_word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
