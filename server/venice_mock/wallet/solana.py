"""Solana keys: base58 addresses, Ed25519 and derived accounts, on base58 and pycryptodome.

Only cryptography lives here; what a transaction says is read in ``transactions``. Importing this module
imports those libraries, so others do it inside the function that needs it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

import base58
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")
_BASE58_SIGNATURE = re.compile(r"[1-9A-HJ-NP-Za-km-z]{64,88}")
_BASE64_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{86}==")

TOKEN_PROGRAM = base58.b58decode("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
ASSOCIATED_TOKEN_PROGRAM = base58.b58decode("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")


def decode_address(text: str) -> bytes | None:
    """The 32 bytes of a base58 address, or None when ``text`` is none."""
    if not _ADDRESS.fullmatch(text):
        return None
    raw = base58.b58decode(text)
    return raw if len(raw) == 32 else None


def encode_base58(raw: bytes) -> str:
    """Base58 in Bitcoin's alphabet, as Solana writes addresses and signatures."""
    return base58.b58encode(raw).decode("ascii")


def decode_signature(text: str) -> bytes | None:
    """The 64 bytes of a signature written in base58 or in padded base64, or None."""
    if _BASE64_SIGNATURE.fullmatch(text):
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:  # pragma: no cover - the pattern admits nothing else
            return None
    if not _BASE58_SIGNATURE.fullmatch(text):
        return None
    raw = base58.b58decode(text)
    return raw if len(raw) == 64 else None


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) over ``message`` is by ``public_key`` (32 bytes).

    Keys of small order are refused, as Solana itself refuses them: for those, anyone can make signatures.
    """
    try:
        key = eddsa.import_public_key(public_key)
        if (key.pointQ * 8).is_point_at_infinity():
            return False
        eddsa.new(key, "rfc8032").verify(message, signature)
    except ValueError:
        return False
    return True


def sign(message: bytes, seed: bytes) -> bytes:
    """The 64-byte Ed25519 signature by the key whose seed is 32 bytes. Raises ValueError."""
    return eddsa.new(_key(seed), "rfc8032").sign(message)


def public_key_of(seed: bytes) -> bytes:
    """The 32 bytes of the public key of a 32-byte seed. Raises ValueError."""
    return bytes(_key(seed).public_key().export_key(format="raw"))


def is_on_curve(raw: bytes) -> bool:
    """Whether 32 bytes, as a hash gives them, are a point of the curve, so that a secret key may exist.

    For the few points of small order, which no hash will ever give, the library says no.
    """
    try:
        eddsa.import_public_key(raw)
    except ValueError:
        return False
    return True


def derived_address(seeds: tuple[bytes, ...], program: bytes) -> bytes:
    """A program's derived address (PDA): the first candidate off the curve, counting the bump down.

    Raises ValueError in the practically impossible case that all 256 are on it.
    """
    for bump in range(255, -1, -1):
        candidate = hashlib.sha256(
            b"".join(seeds) + bytes([bump]) + program + b"ProgramDerivedAddress"
        ).digest()
        if not is_on_curve(candidate):
            return candidate
    raise ValueError("no derived address exists")


def token_account(owner: bytes, mint: bytes) -> bytes:
    """The account in which ``owner`` keeps the token ``mint`` (the associated token account)."""
    return derived_address((owner, TOKEN_PROGRAM, mint), ASSOCIATED_TOKEN_PROGRAM)


def _key(seed: bytes) -> ECC.EccKey:
    return eddsa.import_private_key(seed)
