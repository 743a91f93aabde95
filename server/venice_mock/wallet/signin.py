"""Reading and judging a sign-in header (SIGN-IN-WITH-X): who signed in, or which code refuses it.

Pure and synchronous. Whether the nonce was used before is the caller's to know. No cryptographic library is
imported before a header is judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec

from venice_mock.contract.wallet_types import SignInFacts, WalletKind
from venice_mock.wallet.encoded import decode_header, parse_instant
from venice_mock.wallet.messages import (
    Message,
    build_message,
    host_of,
    kind_of_chain,
    normalise_chain,
    parse_message,
)

Why = Literal[
    "PARSE_ERROR",
    "INVALID_PAYLOAD",
    "INVALID_MESSAGE",
    "ADDRESS_MISMATCH",
    "INVALID_CHAIN_ID",
    "CHAIN_MISMATCH",
    "UNSUPPORTED_CHAIN",
    "MISSING_NONCE",
    "DOMAIN_MISMATCH",
    "TIMESTAMP_MISMATCH",
    "EXPIRED",
    "FUTURE_TIMESTAMP",
    "NOT_BEFORE",
    "INVALID_SIGNATURE",
    "INVALID_WALLET",
    "NONCE_REUSED",
]


class SignInFault(Exception):
    """A refused sign-in. ``code`` is one of the X402_SIGN_IN_* codes; nothing of the header is in it."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.code = f"X402_SIGN_IN_{why}"


class SignIn(msgspec.Struct, frozen=True):
    """A verified sign-in. ``address``: EVM in lower case, Solana as it is. Times in Unix seconds."""

    kind: WalletKind
    address: str
    nonce: str
    issued_at: float
    ends_at: float


def verify_sign_in(
    header: str,
    *,
    facts: SignInFacts,
    now: float,
    own_hosts: Collection[str],
    smart_wallets: Mapping[str, str],
) -> SignIn:
    """Judge one header value at ``now`` (Unix seconds).

    ``own_hosts`` are further domains that may be signed, ports ignored. ``smart_wallets`` maps a contract's
    address to its owner's, both lower-case: the owner's signature then counts as the contract's.
    Raises SignInFault with the first fault in the order of ``Why``; never NONCE_REUSED, which is the caller's.
    """
    payload = _payload(header, facts)
    address: str = payload["address"]
    text = _signed_text(payload)
    message = _message(text, address)
    _check_chain(payload, message, facts)
    if not message.nonce or not message.nonce.strip():
        raise SignInFault("MISSING_NONCE")
    if host_of(message.domain) not in {*map(host_of, facts.domains), *map(host_of, own_hosts)}:
        raise SignInFault("DOMAIN_MISMATCH")
    ends_at = _check_times(payload, message, facts, now)
    kind = _kind_of_address(address)
    if kind is None:  # without a known kind of wallet there is no signature to check
        raise SignInFault("INVALID_WALLET")
    normal = address.lower() if kind == "evm" else address
    if not _signed_by(kind, normal, text, payload["signature"], smart_wallets):
        raise SignInFault("INVALID_SIGNATURE")
    return SignIn(kind, normal, message.nonce, message.issued_at, ends_at)


def _payload(header: str, facts: SignInFacts) -> dict[str, Any]:
    try:
        payload = decode_header(header, facts.max_header_bytes)
    except ValueError as error:
        raise SignInFault("PARSE_ERROR") from error
    if not isinstance(payload, dict):
        raise SignInFault("INVALID_PAYLOAD")
    for name in ("address", "signature"):
        if not isinstance(payload.get(name), str) or not payload[name]:
            raise SignInFault("INVALID_PAYLOAD")
    return payload


def _signed_text(payload: Mapping[str, Any]) -> str:
    """The literal message, or the one that the structured fields stand for."""
    message = payload.get("message")
    if message is None:
        return _rebuilt(payload)
    if not isinstance(message, str):
        raise SignInFault("INVALID_PAYLOAD")
    return message


def _rebuilt(payload: Mapping[str, Any]) -> str:
    def text(name: str) -> str | None:
        value = payload.get(name)
        if value is not None and not isinstance(value, str):
            raise SignInFault("INVALID_MESSAGE")
        return value

    domain, uri, issued_at = text("domain"), text("uri"), text("issuedAt")
    resources = payload.get("resources")
    if domain is None or uri is None or issued_at is None or text("version") not in (None, "1"):
        raise SignInFault("INVALID_MESSAGE")
    if payload.get("chainId") is None or not (resources is None or _is_texts(resources)):
        raise SignInFault("INVALID_MESSAGE")
    try:
        chain = normalise_chain(payload["chainId"])
    except ValueError:
        chain = None  # told as INVALID_CHAIN_ID, once the rest is known to be a message
    return build_message(
        kind="evm" if chain is None else kind_of_chain(chain),
        domain=domain,
        address=payload["address"],
        uri=uri,
        chain=chain,
        nonce=text("nonce"),
        issued_at=issued_at,
        statement=text("statement"),
        expiration_time=text("expirationTime"),
        not_before=text("notBefore"),
        request_id=text("requestId"),
        resources=resources,
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _message(text: str, address: str) -> Message:
    try:
        message = parse_message(text)
    except ValueError as error:
        raise SignInFault("INVALID_MESSAGE") from error
    kind = _kind_of_address(message.address)
    if kind is not None and kind != message.kind:
        raise SignInFault("INVALID_MESSAGE")
    same = message.address.lower() == address.lower() if kind == "evm" else message.address == address
    if not same:
        raise SignInFault("ADDRESS_MISMATCH")
    return message


def _check_chain(payload: Mapping[str, Any], message: Message, facts: SignInFacts) -> None:
    signed = message.chain or facts.default_chain
    if payload.get("chainId") is not None:
        try:
            claimed = normalise_chain(payload["chainId"])
        except ValueError as error:
            raise SignInFault("INVALID_CHAIN_ID") from error
        if claimed != signed:
            raise SignInFault("CHAIN_MISMATCH")
    if signed != (facts.evm_chain if message.kind == "evm" else facts.solana_chain):
        raise SignInFault("UNSUPPORTED_CHAIN")


def _check_times(payload: Mapping[str, Any], message: Message, facts: SignInFacts, now: float) -> float:
    if payload.get("timestamp") is not None:
        sent = _seconds(payload["timestamp"])
        if sent is None or abs(sent - message.issued_at) > facts.skew_s:
            raise SignInFault("TIMESTAMP_MISMATCH")
    ends_at = message.issued_at + facts.life_s
    if now > ends_at or (message.expires_at is not None and now >= message.expires_at):
        raise SignInFault("EXPIRED")
    if message.issued_at > now + facts.skew_s:
        raise SignInFault("FUTURE_TIMESTAMP")
    if message.not_before is not None and now < message.not_before:
        raise SignInFault("NOT_BEFORE")
    return ends_at if message.expires_at is None else min(ends_at, message.expires_at)


def _seconds(timestamp: object) -> float | None:
    """A payload's timestamp, milliseconds or ISO 8601, in Unix seconds; None when it is neither."""
    try:
        if isinstance(timestamp, str):
            return parse_instant(timestamp)
        if isinstance(timestamp, (int, float)) and not isinstance(timestamp, bool):
            return timestamp / 1000
    except (ValueError, OverflowError):
        return None
    return None


def _kind_of_address(address: str) -> WalletKind | None:
    from venice_mock.wallet import evm, solana

    if evm.is_address(address):
        return "evm"
    return None if solana.decode_address(address) is None else "solana"


def _signed_by(
    kind: WalletKind, address: str, text: str, signature: str, smart_wallets: Mapping[str, str]
) -> bool:
    from venice_mock.wallet import evm, solana

    if kind == "evm":
        signer = evm.recover(evm.personal_message_hash(text), signature)
        return signer is not None and signer in (address, smart_wallets.get(address))
    public_key, raw = solana.decode_address(address), solana.decode_signature(signature)
    return public_key is not None and raw is not None and solana.verify(public_key, text.encode(), raw)
