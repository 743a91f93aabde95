"""Paying on an EVM chain: an EIP-3009 authorization, signed as EIP-712 typed data, in any of x402's three shapes.

A test takes a good payment and changes one part with ``dataclasses.replace``. What the authorization says is
signed as it says it; the mappings at the end change the finished header, after signing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from venice_contract.wallets.envelope import altered, base64_json
from venice_contract.wallets.keys import Wallet, sign_digest
from venice_contract.wallets.shapes import Shape, in_shape, network_name, version_of
from venice_contract.wallets.signatures import SignatureForm, flip_bit, write_signature

_BACKDATED_S = 600  # validAfter, as the npm package x402 dates it, against clocks that disagree
_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_TRANSFER_TYPE = (
    "TransferWithAuthorization(address from,address to,uint256 value,"
    "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)


@dataclass(frozen=True, slots=True)
class TokenDomain:
    """The EIP-712 domain of a token: for whom the signature counts. ``contract``: 0x and 40 hex digits."""

    name: str
    version: str
    chain_id: int
    contract: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment from an EVM wallet. Any JSON may stand for the values that are Any.

    ``scheme`` and ``network`` are sent flat, or inside ``accepted`` by shape v2, together with what else the
    chosen requirement says (asset, amount, payTo …), which the flat shapes do not send at all. ``payer`` to
    ``nonce`` are the authorization's from, to, value, validAfter, validBefore and nonce, texts when good.
    ``envelope``, ``payload`` and ``authorization`` replace or add members of the finished objects of those
    names, ABSENT drops one.
    """

    shape: Shape
    version: Any
    scheme: Any
    network: Any
    accepted: Mapping[str, Any]
    payer: Any
    receiver: Any
    value: Any
    valid_after: Any
    valid_before: Any
    nonce: Any
    domain: TokenDomain
    form: SignatureForm = "plain"
    flipped_bit: int | None = None
    authorization: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    envelope: Mapping[str, Any] = field(default_factory=dict)

    def digest(self) -> bytes:
        """The 32 bytes that are signed. A value that the type cannot hold is signed as zero."""
        return authorization_digest(
            self.domain,
            payer=self.payer,
            receiver=self.receiver,
            value=self.value,
            valid_after=self.valid_after,
            valid_before=self.valid_before,
            nonce=self.nonce,
        )

    def content(self, wallet: Wallet) -> dict[str, Any]:
        """The JSON object that is sent, signed by ``wallet``, whoever ``payer`` says signed it."""
        raw = sign_digest(wallet, self.digest())
        if self.flipped_bit is not None:
            raw = flip_bit(raw, self.flipped_bit)
        said = {
            "from": self.payer,
            "to": self.receiver,
            "value": self.value,
            "validAfter": self.valid_after,
            "validBefore": self.valid_before,
            "nonce": self.nonce,
        }
        signed = {
            "signature": write_signature(raw, self.form),
            "authorization": altered(said, self.authorization),
        }
        chosen = {"scheme": self.scheme, "network": self.network}
        return in_shape(
            self.shape, self.version, chosen, self.accepted, altered(signed, self.payload), self.envelope
        )

    def header(self, wallet: Wallet) -> str:
        """The header's value: base64 of ``content``."""
        return base64_json(self.content(wallet))


def good_payment(
    wallet: Wallet,
    offer: Mapping[str, Any],
    *,
    now: float,
    nonce: bytes,
    shape: Shape = "v2",
    amount: int | None = None,
) -> Payment:
    """A payment without fault of what ``offer``, an entry of a server's accepts, asks for.

    Valid from ten minutes before ``now`` (Unix seconds) for as long as the offer allows. ``nonce``: 32 bytes.
    ``amount`` in the token's smallest unit instead of the offer's. Raises ValueError for an offer that cannot
    be paid from an EVM wallet.
    """
    namespace, _, reference = str(offer.get("network")).partition(":")
    extra = offer.get("extra")
    if namespace != "eip155" or not reference.isdecimal() or not isinstance(extra, Mapping):
        raise ValueError("an offer for EVM wallets names eip155:<chain> and has extra")
    contract = _address_in(offer, "asset")
    return Payment(
        shape=shape,
        version=version_of(shape),
        scheme=offer.get("scheme"),
        network=network_name(shape, "evm", offer),
        accepted=dict(offer),
        payer=wallet.address,
        receiver=_address_in(offer, "payTo"),
        value=str(offer.get("amount") if amount is None else amount),
        valid_after=str(int(now) - _BACKDATED_S),
        valid_before=str(int(now) + int(offer.get("maxTimeoutSeconds", 300))),
        nonce="0x" + nonce.hex(),
        domain=TokenDomain(str(extra.get("name")), str(extra.get("version")), int(reference), contract),
    )


def authorization_digest(
    domain: TokenDomain,
    *,
    payer: object,
    receiver: object,
    value: object,
    valid_after: object,
    valid_before: object,
    nonce: object,
) -> bytes:
    """The EIP-712 digest of a TransferWithAuthorization whose parts are written as they are sent.

    Addresses and the nonce are 0x texts, numbers decimal texts or numbers; whatever is none counts as zero, so
    that a payment with one bad part can be signed all the same.
    """
    from venice_contract.wallets.curves import keccak

    separator = keccak(
        keccak(_DOMAIN_TYPE.encode())
        + keccak(domain.name.encode())
        + keccak(domain.version.encode())
        + domain.chain_id.to_bytes(32, "big")
        + _hex_word(domain.contract, 20)
    )
    struct = keccak(
        keccak(_TRANSFER_TYPE.encode())
        + _hex_word(payer, 20)
        + _hex_word(receiver, 20)
        + b"".join(_number_word(number) for number in (value, valid_after, valid_before))
        + _hex_word(nonce, 32)
    )
    return keccak(b"\x19\x01" + separator + struct)


def _address_in(offer: Mapping[str, Any], name: str) -> str:
    address = offer.get(name)
    if not isinstance(address, str) or _from_hex(address, 20) is None:
        raise ValueError(f"the offer's {name} is no EVM address")
    return address


def _from_hex(text: object, length: int) -> bytes | None:
    if not isinstance(text, str) or not re.fullmatch(rf"0x[0-9a-fA-F]{{{2 * length}}}", text):
        return None
    return bytes.fromhex(text[2:])


def _hex_word(text: object, length: int) -> bytes:
    return (_from_hex(text, length) or b"").rjust(32, b"\0")


def _number_word(number: object) -> bytes:
    if isinstance(number, str) and re.fullmatch(r"[0-9]{1,78}", number):
        number = int(number)
    if isinstance(number, int) and 0 <= number < 1 << 256:
        return number.to_bytes(32, "big")
    return bytes(32)
