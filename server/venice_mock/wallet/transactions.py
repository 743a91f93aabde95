"""Solana version-0 transactions on the wire: bytes to records and back, and the one transfer that x402 allows.

Layout only: no signatures are checked, and nothing is decided about whom or how much to pay.
"""

from __future__ import annotations

from dataclasses import dataclass

import base58

from venice_mock.wallet.solana import TOKEN_PROGRAM

COMPUTE_BUDGET_PROGRAM = base58.b58decode("ComputeBudget111111111111111111111111111111")
MEMO_PROGRAM = base58.b58decode("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
LIGHTHOUSE_PROGRAM = base58.b58decode("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95")

_MAX_BYTES = 1232  # what fits in one network packet: Solana takes no larger transaction
_VERSION_0 = 0x80
_SET_LIMIT, _SET_PRICE, _TRANSFER_CHECKED = 2, 3, 12
_INSTRUCTIONS = range(3, 7)


class TransferError(ValueError):
    """A readable transaction that is not the one transfer x402 allows. The text is a short reason slug."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One call of a program; ``accounts`` are indices into the message's accounts."""

    program: int
    accounts: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class MessageV0:
    """The signed part of a transaction. Signers come first in ``accounts``; 32 bytes each."""

    required_signatures: int
    readonly_signed: int
    readonly_unsigned: int
    accounts: tuple[bytes, ...]
    blockhash: bytes
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """Signatures (64 bytes each, zeros where one is still missing) over ``signed``, which ``message`` reads."""

    signatures: tuple[bytes, ...]
    signed: bytes
    message: MessageV0


@dataclass(frozen=True, slots=True)
class Transfer:
    """A TransferChecked: accounts as 32 bytes, ``amount`` in the mint's smallest unit.

    ``authority_index`` is the authority's place among the accounts, hence among the signatures.
    """

    source: bytes
    mint: bytes
    destination: bytes
    authority: bytes
    authority_index: int
    amount: int
    decimals: int


def parse_transaction(raw: bytes) -> Transaction:
    """Read a whole version-0 transaction without address look-up tables. Raises ValueError otherwise."""
    if len(raw) > _MAX_BYTES:
        raise ValueError("larger than any transaction")
    reader = _Reader(raw)
    signatures = tuple(reader.take(64) for _ in range(reader.length()))
    start = reader.at
    if reader.byte() != _VERSION_0:
        raise ValueError("not a version-0 transaction")
    required, readonly_signed, readonly_unsigned = reader.byte(), reader.byte(), reader.byte()
    accounts = tuple(reader.take(32) for _ in range(reader.length()))
    blockhash = reader.take(32)
    instructions = tuple(
        Instruction(reader.byte(), tuple(reader.take(reader.length())), reader.take(reader.length()))
        for _ in range(reader.length())
    )
    if reader.length():
        raise ValueError("look-up tables cannot be resolved without a chain")
    if reader.at != len(raw):
        raise ValueError("bytes after the end")
    if required != len(signatures) or required > len(accounts) or readonly_signed >= max(required, 1):
        raise ValueError("the header contradicts itself")
    if len(set(accounts)) != len(accounts):
        raise ValueError("an account twice")
    if any(max((i.program, *i.accounts)) >= len(accounts) for i in instructions):
        raise ValueError("an account that is not there")
    message = MessageV0(required, readonly_signed, readonly_unsigned, accounts, blockhash, instructions)
    return Transaction(signatures, raw[start:], message)


def serialise_message(message: MessageV0) -> bytes:
    """The bytes that signers sign."""
    parts = [
        bytes([_VERSION_0, message.required_signatures, message.readonly_signed, message.readonly_unsigned]),
        _short(len(message.accounts)),
        *message.accounts,
        message.blockhash,
        _short(len(message.instructions)),
    ]
    for call in message.instructions:
        parts += [bytes([call.program]), _short(len(call.accounts)), bytes(call.accounts)]
        parts += [_short(len(call.data)), call.data]
    return b"".join([*parts, _short(0)])


def serialise_transaction(signatures: tuple[bytes, ...], signed: bytes) -> bytes:
    """A whole transaction from its signatures and the bytes they sign."""
    return b"".join([_short(len(signatures)), *signatures, signed])


def transfer_message(
    *,
    fee_payer: bytes,
    authority: bytes,
    source: bytes,
    destination: bytes,
    mint: bytes,
    amount: int,
    decimals: int,
    blockhash: bytes,
    memo: bytes,
) -> MessageV0:
    """The message of an x402 payment: compute limit and price, one TransferChecked, one memo."""
    accounts = (
        *(fee_payer, authority, source, destination),
        *(mint, COMPUTE_BUDGET_PROGRAM, TOKEN_PROGRAM, MEMO_PROGRAM),
    )
    instructions = (
        Instruction(5, (), bytes([_SET_LIMIT]) + (20_000).to_bytes(4, "little")),
        Instruction(5, (), bytes([_SET_PRICE]) + (1).to_bytes(8, "little")),
        Instruction(6, (2, 4, 3, 1), transfer_data(amount, decimals)),
        Instruction(7, (), memo),
    )
    return MessageV0(2, 1, 4, accounts, blockhash, instructions)


def transfer_data(amount: int, decimals: int) -> bytes:
    """The data of a TransferChecked."""
    return bytes([_TRANSFER_CHECKED]) + amount.to_bytes(8, "little") + bytes([decimals])


def read_transfer(message: MessageV0) -> Transfer:
    """The transfer of an x402 payment: third of three to six instructions, after the compute budget's two.

    What follows it may only be Lighthouse assertions or memos. Raises TransferError.
    """
    calls = message.instructions
    if len(calls) not in _INSTRUCTIONS:
        raise TransferError("instruction_count")
    programs = [message.accounts[call.program] for call in calls]
    budget = [(call.data[:1], len(call.data)) for call in calls[:2]]
    expected = [(bytes([_SET_LIMIT]), 5), (bytes([_SET_PRICE]), 9)]
    if programs[:2] != [COMPUTE_BUDGET_PROGRAM] * 2 or budget != expected:
        raise TransferError("compute_budget")
    if any(program not in (LIGHTHOUSE_PROGRAM, MEMO_PROGRAM) for program in programs[3:]):
        raise TransferError("extra_instruction")
    call = calls[2]
    if programs[2] != TOKEN_PROGRAM or len(call.data) != 10 or call.data[0] != _TRANSFER_CHECKED:
        raise TransferError("no_transfer_checked")
    if len(call.accounts) != 4:
        raise TransferError("transfer_accounts")
    source, mint, destination, authority = (message.accounts[index] for index in call.accounts)
    if any(0 in each.accounts for each in calls):  # the fee payer is always the first account
        raise TransferError("fee_payer_in_instruction")
    return Transfer(
        source=source,
        mint=mint,
        destination=destination,
        authority=authority,
        authority_index=call.accounts[3],
        amount=int.from_bytes(call.data[1:9], "little"),
        decimals=call.data[9],
    )


class _Reader:
    """A cursor over bytes that raises ValueError at the end of them."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.at = 0

    def take(self, count: int) -> bytes:
        taken = self._raw[self.at : self.at + count]
        if len(taken) != count:
            raise ValueError("cut short")
        self.at += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def length(self) -> int:
        """A compact-u16: seven bits a byte, lowest first, in the shortest form."""
        value = 0
        for place in range(3):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if (byte == 0 and place > 0) or value > 0xFFFF:
                    break
                return value
        raise ValueError("not a compact-u16")


def _short(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
