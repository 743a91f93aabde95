"""The cryptographic libraries, behind plain functions of bytes: keccak and secp256k1, Ed25519, base58.

Nothing else may import those libraries, and nothing may import this module but inside a function: most runs
meet no wallet and should not pay for loading them.
"""

from __future__ import annotations

import base58
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from eth_hash.auto import keccak as _keccak
from eth_keys.datatypes import PrivateKey

# The order of secp256k1's group: for a signature (r, s), (r, ORDER - s) is one by the same key.
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it."""
    return _keccak(data)


def evm_address(secret: bytes) -> str:
    """The EIP-55 address of a 32-byte secret. Raises ValueError when it is no key of the curve."""
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < SECP256K1_ORDER:
        raise ValueError("an EVM secret is 32 bytes, above zero and below the order of the curve")
    return PrivateKey(secret).public_key.to_checksum_address()


def evm_sign(digest: bytes, secret: bytes) -> bytes:
    """65 bytes over a 32-byte digest: r, s in the lower half, v of 27 or 28. Deterministic (RFC 6979)."""
    raw = PrivateKey(secret).sign_msg_hash(digest).to_bytes()
    return raw[:64] + bytes([27 + raw[64]])


def ed25519_public(secret: bytes) -> bytes:
    """The 32-byte public key of a 32-byte seed. Raises ValueError for any other length."""
    return bytes(_ed25519(secret).public_key().export_key(format="raw"))


def ed25519_sign(message: bytes, secret: bytes) -> bytes:
    """The 64-byte pure Ed25519 signature by a 32-byte seed."""
    return eddsa.new(_ed25519(secret), "rfc8032").sign(message)


def is_ed25519_point(raw: bytes) -> bool:
    """Whether 32 bytes, as a hash yields them, decode to a point of the curve."""
    try:
        eddsa.import_public_key(raw)
    except ValueError:
        return False
    return True


def base58_text(raw: bytes) -> str:
    """Base58 in Bitcoin's alphabet, as Solana writes keys and signatures."""
    return base58.b58encode(raw).decode("ascii")


def base58_bytes(text: str) -> bytes:
    """What base58 text stands for. Raises ValueError when it is none."""
    return base58.b58decode(text)


def _ed25519(secret: bytes) -> ECC.EccKey:
    return eddsa.import_private_key(secret)
