"""Key pairs, and what they sign as they are: texts, bytes, digests. Nothing of sign-ins or payments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from venice_contract.wallets.signatures import write_signature

Kind = Literal["evm", "solana"]

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wallet:
    """A key pair. ``address``: EIP-55 with 0x, or base58. ``secret``: 32 bytes, never shown."""

    kind: Kind
    address: str
    secret: bytes = field(repr=False)


def make_wallet(kind: Kind, entropy: bytes) -> Wallet:
    """The wallet whose secret is ``entropy``: 32 bytes. Raises ValueError when they are no key."""
    from venice_contract.wallets import curves

    if len(entropy) != _SECRET_BYTES:
        raise ValueError("a wallet is made of 32 bytes")
    if kind == "evm":
        return Wallet(kind, curves.evm_address(entropy), entropy)
    return Wallet(kind, curves.base58_text(curves.ed25519_public(entropy)), entropy)


def sign_bytes(wallet: Wallet, message: bytes) -> bytes:
    """The raw signature over a message: 65 bytes under EIP-191's personal_sign, or 64 of Ed25519."""
    from venice_contract.wallets import curves

    if wallet.kind == "solana":
        return curves.ed25519_sign(message, wallet.secret)
    return curves.evm_sign(personal_digest(message), wallet.secret)


def sign_digest(wallet: Wallet, digest: bytes) -> bytes:
    """The raw 65 bytes over a ready 32-byte digest, as EIP-712 needs. Raises ValueError for a Solana wallet."""
    from venice_contract.wallets import curves

    if wallet.kind != "evm":
        raise ValueError("only EVM wallets sign digests")
    return curves.evm_sign(digest, wallet.secret)


def sign_text(wallet: Wallet, text: str) -> str:
    """A text's signature as it is sent: EIP-191 as 0x and 130 hex digits, or Ed25519 in base58."""
    return write_signature(sign_bytes(wallet, text.encode()))


def personal_digest(message: bytes) -> bytes:
    """The 32 bytes that personal_sign signs (EIP-191, version 0x45)."""
    from venice_contract.wallets import curves

    return curves.keccak(b"\x19Ethereum Signed Message:\n%d%b" % (len(message), message))
