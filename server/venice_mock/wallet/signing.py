"""Throwaway wallets, and the headers that they sign: what a client does, for `venice-mock wallet` and tests.

Everything random or timely is passed in, so the same arguments give the same header. Never fund a wallet
made here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from venice_mock.contract.wallet_types import PaymentFacts, PaymentNetwork, WalletKind
from venice_mock.times import iso_time
from venice_mock.wallet.encoded import encode_header
from venice_mock.wallet.messages import build_message, kind_of_chain

Shape = Literal["v1", "v2", "hybrid"]

_BACKDATED_S = 600  # as the npm package x402 does, against clocks that disagree


@dataclass(frozen=True, slots=True)
class Wallet:
    """A key pair. ``address``: EIP-55 or base58. ``secret``: 0x and 64 hex, or base58 of seed and public key,
    the forms that wallets import."""

    kind: WalletKind
    address: str
    secret: str = field(repr=False)


def new_wallet(kind: WalletKind, *, entropy: bytes) -> Wallet:
    """The wallet whose secret key is ``entropy``: 32 bytes. Raises ValueError when they are no key."""
    if len(entropy) != 32:
        raise ValueError("a wallet is made of 32 bytes")
    if kind == "evm":
        from venice_mock.wallet import evm

        return Wallet(kind, evm.address_of(entropy), "0x" + entropy.hex())
    from venice_mock.wallet import solana

    public_key = solana.public_key_of(entropy)
    return Wallet(kind, solana.encode_base58(public_key), solana.encode_base58(entropy + public_key))


def open_wallet(secret: str) -> Wallet:
    """The wallet of a secret as ``Wallet.secret`` writes it. Raises ValueError, never quoting the secret."""
    if secret.startswith("0x"):
        try:
            return new_wallet("evm", entropy=bytes.fromhex(secret[2:]))
        except ValueError:
            raise ValueError("not an EVM secret: 0x and 64 hex digits") from None
    from venice_mock.wallet import solana

    raw = solana.decode_signature(secret)  # 64 bytes of base58, as a signature is
    if raw is not None and solana.public_key_of(raw[:32]) == raw[32:]:
        return new_wallet("solana", entropy=raw[:32])
    raise ValueError("not a secret: 0x and 64 hex digits, or base58 of 64 bytes")


def sign_in_header(
    wallet: Wallet,
    *,
    domain: str,
    uri: str,
    chain: str,
    now: float,
    nonce: str,
    statement: str | None = None,
    life_s: float | None = None,
    not_before: float | None = None,
    request_id: str | None = None,
    resources: Sequence[str] | None = None,
    structured: bool = False,
    timestamp: bool = True,
) -> str:
    """A SIGN-IN-WITH-X value, issued at ``now`` (Unix seconds) for a ``chain`` in CAIP-2 form.

    ``life_s`` adds an expiration time. ``structured`` sends the fields in place of the text.
    """
    said: dict[str, Any] = {
        "domain": domain,
        "address": wallet.address,
        "uri": uri,
        "nonce": nonce,
        "issuedAt": iso_time(now),
        "statement": statement,
        "expirationTime": None if life_s is None else iso_time(now + life_s),
        "notBefore": None if not_before is None else iso_time(not_before),
        "requestId": request_id,
        "resources": resources,
    }
    text = build_message(
        kind=kind_of_chain(chain),
        domain=domain,
        address=wallet.address,
        uri=uri,
        chain=chain,
        nonce=nonce,
        issued_at=said["issuedAt"],
        statement=statement,
        expiration_time=said["expirationTime"],
        not_before=said["notBefore"],
        request_id=request_id,
        resources=resources,
    )
    payload: dict[str, Any] = {"address": wallet.address, "message": text}
    if structured:
        payload = {name: value for name, value in said.items() if value is not None} | {"version": "1"}
    payload["signature"] = sign_text(wallet, text)
    payload["chainId"] = chain
    payload["type"] = "eip191" if wallet.kind == "evm" else "ed25519"
    if timestamp:
        payload["timestamp"] = round(now * 1000)
    return encode_header(payload)


def sign_text(wallet: Wallet, text: str) -> str:
    """The wallet's signature over a text: EIP-191 in hex, or Ed25519 in base58."""
    if wallet.kind == "evm":
        from venice_mock.wallet import evm

        return evm.sign(evm.personal_message_hash(text), secret_bytes(wallet))
    from venice_mock.wallet import solana

    return solana.encode_base58(solana.sign(text.encode(), secret_bytes(wallet)))


def payment_header(
    wallet: Wallet,
    *,
    offer: Mapping[str, Any],
    facts: PaymentFacts,
    micro_usdc: int,
    now: float,
    nonce: bytes,
    shape: Shape = "v2",
) -> str:
    """A top-up payment of ``micro_usdc`` under an ``offer``, which is one entry of a 402's ``accepts``.

    ``nonce``: 32 bytes, the authorization's nonce, or on Solana the blockhash: there is no chain to ask for a
    recent one. ``shape``: x402 version 1, version 2, or version 1's shape labelled 2. Raises ValueError for
    an offer on an unknown network or one that this kind of wallet cannot pay on.
    """
    network = next((each for each in facts.networks if offer["network"] in each.names), None)
    if network is None or network.rail != wallet.kind:
        raise ValueError(f"a wallet of kind {wallet.kind} cannot pay on {offer['network']}")
    if len(nonce) != 32:
        raise ValueError("a payment's nonce is 32 bytes")
    if wallet.kind == "evm":
        payload = _evm_payload(wallet, offer, network, micro_usdc, int(now), nonce)
    else:
        payload = _solana_payload(wallet, offer, network, micro_usdc, nonce)
    if shape == "v2":
        return encode_header({"x402Version": 2, "accepted": offer, "payload": payload})
    version = 1 if shape == "v1" else 2
    named = {"scheme": offer["scheme"], "network": network.names[0]}
    return encode_header({"x402Version": version, **named, "payload": payload})


def secret_bytes(wallet: Wallet) -> bytes:
    """The 32 bytes of the secret key."""
    if wallet.kind == "evm":
        return bytes.fromhex(wallet.secret[2:])
    from venice_mock.wallet import solana

    return (solana.decode_signature(wallet.secret) or b"")[:32]


def _evm_payload(
    wallet: Wallet,
    offer: Mapping[str, Any],
    network: PaymentNetwork,
    micro_usdc: int,
    now: int,
    nonce: bytes,
) -> dict[str, Any]:
    from venice_mock.wallet import evm

    if network.domain is None:
        raise ValueError(f"the token on {network.caip2} has no typed-data domain")
    authorization = evm.TransferAuthorization(
        payer=wallet.address,
        receiver=offer["payTo"],
        value=micro_usdc,
        valid_after=now - _BACKDATED_S,
        valid_before=now + offer["maxTimeoutSeconds"],
        nonce=nonce,
    )
    digest = evm.transfer_authorization_hash(authorization, domain=network.domain, contract=offer["asset"])
    return {
        "signature": evm.sign(digest, secret_bytes(wallet)),
        "authorization": {
            "from": authorization.payer,
            "to": authorization.receiver,
            "value": str(authorization.value),
            "validAfter": str(authorization.valid_after),
            "validBefore": str(authorization.valid_before),
            "nonce": "0x" + nonce.hex(),
        },
    }


def _solana_payload(
    wallet: Wallet, offer: Mapping[str, Any], network: PaymentNetwork, micro_usdc: int, nonce: bytes
) -> dict[str, Any]:
    from venice_mock.wallet import solana, transactions

    authority, mint, payee, fee_payer = (
        solana.decode_address(address)
        for address in (wallet.address, offer["asset"], offer["payTo"], offer["extra"]["feePayer"])
    )
    if authority is None or mint is None or payee is None or fee_payer is None:
        raise ValueError("the offer names an address that is none")
    message = transactions.transfer_message(
        fee_payer=fee_payer,
        authority=authority,
        source=solana.token_account(authority, mint),
        destination=solana.token_account(payee, mint),
        mint=mint,
        amount=micro_usdc,
        decimals=network.decimals,
        blockhash=nonce,
        memo=nonce[:16].hex().encode(),
    )
    signed = transactions.serialise_message(message)
    signatures = (bytes(64), solana.sign(signed, secret_bytes(wallet)))
    whole = transactions.serialise_transaction(signatures, signed)
    return {"transaction": base64.b64encode(whole).decode("ascii")}
