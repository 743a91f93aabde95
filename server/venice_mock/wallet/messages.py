"""The text that a wallet signs to sign in: EIP-4361 for Ethereum, its CAIP-122 twin for Solana.

Reading and writing of the text, with no judgement of what it says and no cryptography.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from venice_mock.contract.wallet_types import WalletKind
from venice_mock.wallet.encoded import parse_instant

_ACCOUNTS: dict[WalletKind, str] = {"evm": "Ethereum", "solana": "Solana"}
_NAMESPACES: dict[WalletKind, str] = {"evm": "eip155", "solana": "solana"}
_EVM_REFERENCE = re.compile(r"[0-9]{1,32}")
_SOLANA_REFERENCE = re.compile(r"[-_a-zA-Z0-9]{1,32}")
_BARE_GENESIS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32}")

# Without a statement, Ethereum libraries leave two blank lines before the URI and Solana's leave one; either
# is taken from either. CRLF is not the format: the signature covers the bytes, so nothing is normalised.
_TEXT = re.compile(
    r"(?P<domain>[^\s]+) wants you to sign in with your (?P<account>Ethereum|Solana) account:\n"
    r"(?P<address>[^\s]+)\n"
    r"\n(?:(?P<statement>[^\r\n]+)\n\n|\n)?"
    r"URI: (?P<uri>[^\s]+)\n"
    r"Version: 1"
    r"(?:\nChain ID: (?P<chain>[^\s]+))?"
    r"(?:\nNonce: (?P<nonce>[^\r\n]*))?"
    r"\nIssued At: (?P<issued_at>[^\s]+)"
    r"(?:\nExpiration Time: (?P<expires_at>[^\s]+))?"
    r"(?:\nNot Before: (?P<not_before>[^\s]+))?"
    r"(?:\nRequest ID: [^\r\n]*)?"
    r"(?:\nResources:(?:\n- [^\r\n]*)*)?"
)


class Message(msgspec.Struct, frozen=True):
    """What a sign-in text says. ``chain`` is CAIP-2, None without the line; ``nonce`` is None or empty when
    missing; times in Unix seconds."""

    kind: WalletKind
    domain: str
    address: str
    chain: str | None
    nonce: str | None
    issued_at: float
    expires_at: float | None
    not_before: float | None


def parse_message(text: str) -> Message:
    """Read a sign-in text. Raises ValueError for anything that is not one, down to the last blank line."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("not a sign-in message")
    kind: WalletKind = "evm" if found["account"] == _ACCOUNTS["evm"] else "solana"
    return Message(
        kind=kind,
        domain=found["domain"],
        address=found["address"],
        chain=None if found["chain"] is None else _chain_of_line(kind, found["chain"]),
        nonce=found["nonce"],
        issued_at=parse_instant(found["issued_at"]),
        expires_at=None if found["expires_at"] is None else parse_instant(found["expires_at"]),
        not_before=None if found["not_before"] is None else parse_instant(found["not_before"]),
    )


def build_message(
    *,
    kind: WalletKind,
    domain: str,
    address: str,
    uri: str,
    chain: str | None,
    nonce: str | None,
    issued_at: str,
    statement: str | None = None,
    expiration_time: str | None = None,
    not_before: str | None = None,
    request_id: str | None = None,
    resources: Sequence[str] | None = None,
) -> str:
    """Write a sign-in text as the common libraries do, line for line.

    ``chain`` is CAIP-2; the line gets its bare reference. None leaves the line out, and so does a ``nonce``
    of None. Values are put in as they are: parse the result to know what it says.
    """
    lines = [f"{domain} wants you to sign in with your {_ACCOUNTS[kind]} account:", address, ""]
    if statement is not None:
        lines += [statement, ""]
    elif kind == "evm":
        lines += [""]
    lines += [f"URI: {uri}", "Version: 1"]
    optional = [
        ("Chain ID", None if chain is None else chain.partition(":")[2]),
        ("Nonce", nonce),
        ("Issued At", issued_at),
        ("Expiration Time", expiration_time),
        ("Not Before", not_before),
        ("Request ID", request_id),
    ]
    lines += [f"{name}: {value}" for name, value in optional if value is not None]
    if resources is not None and (resources or kind == "evm"):
        lines += ["Resources:", *(f"- {resource}" for resource in resources)]
    return "\n".join(lines)


def normalise_chain(value: object) -> str:
    """A payload's ``chainId`` in CAIP-2 form: from 8453, "8453", "eip155:8453", "solana:<reference>" or a
    bare Solana genesis reference. Raises ValueError for any other way to write it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 <= value < 10**32 else ""
    if not isinstance(value, str):
        raise ValueError("a chain is a number or a text")  # noqa: TRY004
    namespace, colon, reference = value.rpartition(":")
    if not colon:
        namespace = _NAMESPACES["evm" if _EVM_REFERENCE.fullmatch(value) else "solana"]
        if namespace == _NAMESPACES["solana"] and not _BARE_GENESIS.fullmatch(value):
            raise ValueError("unknown form of chain")
    if namespace == _NAMESPACES["evm"] and _EVM_REFERENCE.fullmatch(reference):
        return f"{namespace}:{int(reference)}"
    if namespace == _NAMESPACES["solana"] and _SOLANA_REFERENCE.fullmatch(reference):
        return f"{namespace}:{reference}"
    raise ValueError("unknown form of chain")


def kind_of_chain(chain: str) -> WalletKind:
    """Whose chain a normalised CAIP-2 id is."""
    return "evm" if chain.startswith(_NAMESPACES["evm"] + ":") else "solana"


def host_of(domain: str) -> str:
    """The host of a signed domain or of an origin, lower-case: scheme, port and path are dropped."""
    authority = re.split(r"[/?#]", domain.partition("://")[2] or domain, maxsplit=1)[0].lower()
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0] if "@" not in authority else authority


def _chain_of_line(kind: WalletKind, line: str) -> str:
    if kind == "evm":
        if not _EVM_REFERENCE.fullmatch(line):
            raise ValueError("an Ethereum chain id is a number")
        return f"{_NAMESPACES[kind]}:{int(line)}"
    reference = line.removeprefix(_NAMESPACES[kind] + ":")
    if not _SOLANA_REFERENCE.fullmatch(reference):
        raise ValueError("not a Solana chain reference")
    return f"{_NAMESPACES[kind]}:{reference}"
