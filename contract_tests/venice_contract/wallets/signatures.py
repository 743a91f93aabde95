"""Finished signatures, right and wrong: the forms in which they are sent, and the bit that spoils one.

Works on raw bytes: 65 are an EVM wallet's (r, s, v), 64 are Ed25519.
"""

from __future__ import annotations

import base64
from typing import Literal

SignatureForm = Literal["plain", "bare", "base64", "mirrored", "erc6492"]
"""How a signature is written.

``plain``: 0x and hex for EVM, base58 for Solana. ``bare``: hex without 0x. ``base64``: padded base64, which
Solana wallets may send. ``mirrored`` (EVM): the other signature by the same key that anyone can derive, with s
in the upper half, which token contracts refuse. ``erc6492`` (EVM): wrapped for a contract that is still to be
deployed.
"""

_EVM_BYTES = 65
_ERC6492_SUFFIX = b"\x64\x92" * 16
_FACTORY = b"\xfa\xc7" * 10  # deploys nothing: no server of this contract should come as far as calling it


def write_signature(raw: bytes, form: SignatureForm = "plain") -> str:
    """The signature as text. Raises ValueError for a form that its kind of wallet does not have."""
    if form == "base64":
        return base64.b64encode(raw).decode("ascii")
    if len(raw) != _EVM_BYTES:
        if form != "plain":
            raise ValueError(f"a Solana signature has no form {form}")
        from venice_contract.wallets import curves

        return curves.base58_text(raw)
    if form == "bare":
        return raw.hex()
    if form == "mirrored":
        raw = _mirrored(raw)
    elif form == "erc6492":
        raw = _wrapped(raw)
    return "0x" + raw.hex()


def flip_bit(raw: bytes, bit: int) -> bytes:
    """The bytes with one bit changed; bit 0 is the lowest of the first byte. Raises IndexError beyond the end."""
    if not 0 <= bit < len(raw) * 8:
        raise IndexError(f"{len(raw)} bytes have no bit {bit}")
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _mirrored(raw: bytes) -> bytes:
    from venice_contract.wallets.curves import SECP256K1_ORDER

    s = SECP256K1_ORDER - int.from_bytes(raw[32:64], "big")
    return raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])  # 27 becomes 28, and 28 becomes 27


def _wrapped(raw: bytes) -> bytes:
    """ERC-6492: abi.encode(address factory, bytes calldata, bytes signature), then the magic suffix."""
    calldata = b""
    head = [int.from_bytes(_FACTORY, "big"), 3 * 32, 4 * 32, len(calldata), len(raw)]
    padding = bytes(-len(raw) % 32)
    return b"".join(number.to_bytes(32, "big") for number in head) + raw + padding + _ERC6492_SUFFIX
