"""Solana transactions as bytes: instructions gathered into a message, and a message among its signatures.

Says nothing of what is paid or why. Version 0 without look-up tables, or the legacy form before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

MessageVersion = Literal["v0", "legacy"]

SIGNATURE_BYTES = 64
_VERSION_0 = b"\x80"


@dataclass(frozen=True, slots=True)
class Account:
    """An account that an instruction names by its 32 bytes, and what it is needed for."""

    key: bytes
    signs: bool = False
    written: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call of a program (32 bytes)."""

    program: bytes
    data: bytes
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed. ``signers``: the keys whose signatures stand before it, in order; the first pays the fee."""

    signers: tuple[bytes, ...]
    data: bytes


def make_message(
    fee_payer: bytes,
    instructions: Sequence[Instruction],
    blockhash: bytes,
    version: MessageVersion = "v0",
) -> Message:
    """Order the accounts as Solana does: signers before others, and the written ones first in either group.

    An account named several times keeps every right that it is given once.
    """
    rights: dict[bytes, Account] = {fee_payer: Account(fee_payer, signs=True, written=True)}
    for instruction in instructions:
        for account in (*instruction.accounts, Account(instruction.program)):
            known = rights.get(account.key, account)
            rights[account.key] = Account(
                account.key, known.signs or account.signs, known.written or account.written
            )
    ordered = sorted(rights.values(), key=lambda account: (not account.signs, not account.written))
    keys = [account.key for account in ordered]
    signers = [account for account in ordered if account.signs]
    idle = [account for account in ordered if not account.written]
    header = bytes([len(signers), sum(a.signs for a in idle), sum(not a.signs for a in idle)])
    calls = [
        bytes([keys.index(each.program)])
        + _listed([bytes([keys.index(account.key)]) for account in each.accounts])
        + _length(len(each.data))
        + each.data
        for each in instructions
    ]
    data = header + _listed(keys) + blockhash + _listed(calls)
    if version == "v0":
        data = _VERSION_0 + data + _listed([])  # no look-up tables
    return Message(tuple(account.key for account in signers), data)


def make_transaction(message: Message, signatures: Iterable[bytes]) -> bytes:
    """The whole transaction: 64 bytes for each signer, zeros where one has not signed."""
    return _listed(list(signatures)) + message.data


def _listed(items: Sequence[bytes]) -> bytes:
    return _length(len(items)) + b"".join(items)


def _length(count: int) -> bytes:
    """A compact-u16: seven bits a byte, the lowest first."""
    written = bytearray()
    while count > 0x7F:
        written.append(count & 0x7F | 0x80)
        count >>= 7
    return bytes([*written, count])
