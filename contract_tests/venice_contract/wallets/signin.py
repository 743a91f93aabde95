"""Signing in: every part of the text that is signed and of the JSON around it, each alterable on its own.

A test takes a good sign-in and changes one part with ``dataclasses.replace``. Parts of the text are changed
before they are signed, so that only what they say is wrong; ``members`` and ``flipped_bit`` come after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from venice_contract.wallets.envelope import ABSENT, altered, base64_json, iso
from venice_contract.wallets.keys import Kind, Wallet, sign_bytes
from venice_contract.wallets.signatures import SignatureForm, flip_bit, write_signature

_ACCOUNTS: dict[Kind, str] = {"evm": "Ethereum", "solana": "Solana"}
_TYPES: dict[Kind, str] = {"evm": "eip191", "solana": "ed25519"}
_NAMESPACES: dict[Kind, str] = {"evm": "eip155", "solana": "solana"}
_CHAINS: dict[Kind, str] = {"evm": "eip155:8453", "solana": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"}
_STATEMENT = "Sign in to Venice AI"
_LIFE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in. Parts of the text are put into it as they are; None leaves the line out.

    Signed: ``kind`` chooses the first line's wording and the layout; ``chain`` is what the Chain ID line says,
    the bare reference usually; times are ISO 8601 texts; ``words`` is signed instead of the whole text.

    Sent: ``structured`` sends the parts instead of the message. ``chain_id``, ``type`` and ``timestamp`` are
    the payload's chainId, type and timestamp, any JSON or ABSENT. ``members`` replace or add members of the
    finished payload, ABSENT drops one. ``form`` and ``flipped_bit`` are about the signature.
    """

    kind: Kind
    domain: str
    address: str
    uri: str
    issued_at: str | None
    version: str | None = "1"
    chain: str | None = None
    nonce: str | None = None
    statement: str | None = None
    expiration_time: str | None = None
    not_before: str | None = None
    request_id: str | None = None
    resources: Sequence[str] | None = None
    words: str | None = None
    structured: bool = False
    chain_id: Any = ABSENT
    type: Any = ABSENT
    timestamp: Any = ABSENT
    members: Mapping[str, Any] = field(default_factory=dict)
    form: SignatureForm = "plain"
    flipped_bit: int | None = None

    def text(self) -> str:
        """The text that is signed: EIP-4361, or its CAIP-122 twin for Solana."""
        if self.words is not None:
            return self.words
        lines = [f"{self.domain} wants you to sign in with your {_ACCOUNTS[self.kind]} account:"]
        lines += [self.address, ""]
        if self.statement is not None:
            lines += [self.statement, ""]
        elif self.kind == "evm":
            lines += [""]  # EIP-4361 keeps the statement's empty place, Solana's libraries do not
        said = {
            "URI": self.uri,
            "Version": self.version,
            "Chain ID": self.chain,
            "Nonce": self.nonce,
            "Issued At": self.issued_at,
            "Expiration Time": self.expiration_time,
            "Not Before": self.not_before,
            "Request ID": self.request_id,
        }
        lines += [f"{name}: {value}" for name, value in said.items() if value is not None]
        if self.resources is not None:
            lines += ["Resources:", *(f"- {resource}" for resource in self.resources)]
        return "\n".join(lines)

    def payload(self, wallet: Wallet) -> dict[str, Any]:
        """The JSON object that is sent, signed by ``wallet``, whoever ``address`` says signed it."""
        raw = sign_bytes(wallet, self.text().encode())
        if self.flipped_bit is not None:
            raw = flip_bit(raw, self.flipped_bit)
        said = self._parts() if self.structured else {"address": self.address, "message": self.text()}
        about = {"chainId": self.chain_id, "type": self.type, "timestamp": self.timestamp}
        return altered({**said, "signature": write_signature(raw, self.form), **about}, self.members)

    def header(self, wallet: Wallet) -> str:
        """The header's value: base64 of ``payload``."""
        return base64_json(self.payload(wallet))

    def on_chain(self, chain: str | None) -> SignIn:
        """The same for another chain in CAIP-2 form, in the text and as chainId alike; None: in neither."""
        if chain is None:
            return replace(self, chain=None, chain_id=ABSENT)
        return replace(self, chain=chain.partition(":")[2], chain_id=chain)

    def _parts(self) -> dict[str, Any]:
        parts = {
            "domain": self.domain,
            "address": self.address,
            "statement": self.statement,
            "uri": self.uri,
            "version": self.version,
            "nonce": self.nonce,
            "issuedAt": self.issued_at,
            "expirationTime": self.expiration_time,
            "notBefore": self.not_before,
            "requestId": self.request_id,
            "resources": None if self.resources is None else list(self.resources),
        }
        return {name: value for name, value in parts.items() if value is not None}


def good_sign_in(
    wallet: Wallet,
    *,
    domain: str,
    uri: str,
    now: float,
    nonce: str,
    chain: str | None = None,
    statement: str | None = _STATEMENT,
    life_s: float | None = _LIFE_S,
    structured: bool = False,
) -> SignIn:
    """A sign-in without fault, issued at ``now`` (Unix seconds), for Base or Solana's mainnet.

    ``chain`` (CAIP-2) chooses another chain; ``life_s`` None leaves Expiration Time out. A literal EVM
    message goes with chainId as a number, as Venice's own clients send it; all else with CAIP-2 and type.
    """
    full = _CHAINS[wallet.kind] if chain is None else chain
    reference = full.partition(":")[2]
    plain_number = wallet.kind == "evm" and not structured
    return SignIn(
        kind=wallet.kind,
        domain=domain,
        address=wallet.address,
        uri=uri,
        chain=reference,
        nonce=nonce,
        issued_at=iso(now),
        expiration_time=None if life_s is None else iso(now + life_s),
        statement=statement,
        structured=structured,
        chain_id=int(reference) if plain_number else full,
        type=ABSENT if plain_number else _TYPES[wallet.kind],
    )


def challenge_sign_in(
    challenge: Mapping[str, Any], wallet: Wallet, now: float, *, structured: bool = False
) -> SignIn:
    """What a client answers to a server's ``siwxChallenge`` or ``extensions["sign-in-with-x"]``.

    The info is echoed as it is, with the first of ``supportedChains`` on which the wallet can sign; ``now``
    (Unix seconds) is the time of issue where the server names none. Raises ValueError, in a sentence, for a
    challenge that the wallet cannot answer.
    """
    info = challenge.get("info")
    if not isinstance(info, Mapping):
        info = {}
    missing = [name for name in ("domain", "uri", "nonce") if not isinstance(info.get(name), str)]
    if missing:
        raise ValueError(f"the challenge's info has no {' and no '.join(missing)}")
    chain = _supported_chain(challenge.get("supportedChains"), wallet.kind)
    return SignIn(
        kind=wallet.kind,
        domain=info["domain"],
        address=wallet.address,
        uri=info["uri"],
        version=info.get("version", "1"),
        chain=chain.partition(":")[2],
        nonce=info["nonce"],
        issued_at=info.get("issuedAt", iso(now)),
        expiration_time=info.get("expirationTime"),
        not_before=info.get("notBefore"),
        request_id=info.get("requestId"),
        statement=info.get("statement"),
        resources=info.get("resources"),
        structured=structured,
        chain_id=chain,
        type=_TYPES[wallet.kind],
    )


def _supported_chain(offered: object, kind: Kind) -> str:
    """The first chain that the wallet can sign for; entries are objects, or bare ids in older challenges."""
    for entry in offered if isinstance(offered, list) else ():
        chain, how = (
            (entry.get("chainId"), entry.get("type")) if isinstance(entry, Mapping) else (entry, None)
        )
        if not isinstance(chain, str) or chain.partition(":")[0] != _NAMESPACES[kind]:
            continue
        if how is None or how == _TYPES[kind]:
            return chain
    raise ValueError(f"the challenge offers no chain for {_TYPES[kind]}")
