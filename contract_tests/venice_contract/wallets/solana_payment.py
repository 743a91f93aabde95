"""Paying on Solana: a transaction that the payer has signed and the settling server has not, in x402's shapes.

A test takes a good payment and changes one part with ``dataclasses.replace``. What the transaction says is
signed as it says it; ``flipped_bit``, ``signed`` and the mappings at the end come after signing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from venice_contract.wallets.envelope import altered, base64_json
from venice_contract.wallets.keys import Wallet, sign_bytes
from venice_contract.wallets.shapes import Shape, in_shape, network_name, version_of
from venice_contract.wallets.signatures import flip_bit
from venice_contract.wallets.solana_message import (
    SIGNATURE_BYTES,
    Account,
    Instruction,
    Message,
    make_message,
    make_transaction,
)

Layout = Literal[
    "memo", "bare", "four-memos", "no-limit", "no-price", "swapped-budget", "no-transfer", "unchecked-transfer",
    "second-transfer", "foreign-program", "fee-payer-named", "unsigned-payer", "legacy",
]  # fmt: skip
"""What the transaction consists of. ``memo``: compute limit, compute price, one TransferChecked and a memo, as
version 2's clients build it; ``bare``: the same without the memo, as version 1's do. All others break one rule:
more instructions than six, a budget that lacks a part or has its two swapped, no transfer, a plain Transfer,
a second one, a program that has no business there, the fee payer among an instruction's accounts, a payer who
is no signer, and the message format from before version 0."""

_COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111"
_TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
_TOKEN_ACCOUNTS = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
_MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
_SYSTEM = "1" * 32

_SET_LIMIT, _SET_PRICE, _TRANSFER, _TRANSFER_CHECKED = 2, 3, 3, 12
_UNITS, _MICRO_LAMPORTS = 20_000, 1
_USDC_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SolanaPayment:
    """A payment from a Solana wallet. Any JSON may stand for the values that are Any.

    ``scheme`` to ``accepted`` as in a ``Payment`` on an EVM chain. Accounts are base58 texts: ``payer`` is the
    transfer's authority, ``source`` and ``destination`` are token accounts, ``fee_payer`` the account that
    pays for the transaction. ``amount`` is in the token's smallest unit. ``blockhash`` (32 bytes) and ``memo``
    make a payment unlike others. ``signed`` false leaves zeros in the payer's place. ``payload`` and
    ``envelope`` replace or add members of the finished objects of those names, ABSENT drops one.
    """

    shape: Shape
    version: Any
    scheme: Any
    network: Any
    accepted: Mapping[str, Any]
    payer: str
    source: str
    mint: str
    destination: str
    amount: int
    fee_payer: str
    blockhash: bytes
    memo: bytes
    decimals: int = _USDC_DECIMALS
    layout: Layout = "memo"
    signed: bool = True
    flipped_bit: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    envelope: Mapping[str, Any] = field(default_factory=dict)

    def message(self) -> Message:
        """What the payer signs."""
        version: Literal["v0", "legacy"] = "legacy" if self.layout == "legacy" else "v0"
        return make_message(_key(self.fee_payer), self._instructions(), self.blockhash, version)

    def transaction(self, wallet: Wallet) -> bytes:
        """The transaction, signed by ``wallet`` in the payer's place, whoever the payer is."""
        message = self.message()
        signature = sign_bytes(wallet, message.data) if self.signed else bytes(SIGNATURE_BYTES)
        if self.flipped_bit is not None:
            signature = flip_bit(signature, self.flipped_bit)
        payer = _key(self.payer)
        return make_transaction(
            message, [signature if key == payer else bytes(SIGNATURE_BYTES) for key in message.signers]
        )

    def content(self, wallet: Wallet) -> dict[str, Any]:
        """The JSON object that is sent."""
        sent = {"transaction": base64.b64encode(self.transaction(wallet)).decode("ascii")}
        chosen = {"scheme": self.scheme, "network": self.network}
        return in_shape(
            self.shape, self.version, chosen, self.accepted, altered(sent, self.payload), self.envelope
        )

    def header(self, wallet: Wallet) -> str:
        """The header's value: base64 of ``content``."""
        return base64_json(self.content(wallet))

    def _instructions(self) -> list[Instruction]:
        budget = _key(_COMPUTE_BUDGET)
        limit = Instruction(budget, bytes([_SET_LIMIT]) + _UNITS.to_bytes(4, "little"))
        price = Instruction(budget, bytes([_SET_PRICE]) + _MICRO_LAMPORTS.to_bytes(8, "little"))
        transfer = self._transfer(checked=self.layout != "unchecked-transfer")
        memo = Instruction(_key(_MEMO), self.memo)
        usual = [limit, price, transfer, memo]
        named = Instruction(memo.program, memo.data, (Account(_key(self.fee_payer)),))
        others: dict[Layout, list[Instruction]] = {
            "bare": [limit, price, transfer],
            "four-memos": [*usual, memo, memo, memo],
            "no-limit": [price, transfer, memo],
            "no-price": [limit, transfer, memo],
            "swapped-budget": [price, limit, transfer, memo],
            "no-transfer": [limit, price, memo],
            "second-transfer": [*usual, transfer],
            "foreign-program": [*usual, Instruction(_key(_SYSTEM), b"")],
            "fee-payer-named": [limit, price, transfer, named],
        }
        return others.get(self.layout, usual)

    def _transfer(self, *, checked: bool) -> Instruction:
        source, destination = (Account(_key(each), written=True) for each in (self.source, self.destination))
        payer = Account(_key(self.payer), signs=self.layout != "unsigned-payer")
        amount = self.amount.to_bytes(8, "little")
        if not checked:
            return Instruction(
                _key(_TOKEN_PROGRAM), bytes([_TRANSFER]) + amount, (source, destination, payer)
            )
        data = bytes([_TRANSFER_CHECKED]) + amount + bytes([self.decimals])
        return Instruction(_key(_TOKEN_PROGRAM), data, (source, Account(_key(self.mint)), destination, payer))


def good_solana_payment(
    wallet: Wallet,
    offer: Mapping[str, Any],
    *,
    nonce: bytes,
    shape: Shape = "v2",
    amount: int | None = None,
) -> SolanaPayment:
    """A payment without fault of what ``offer``, an entry of a server's accepts, asks for.

    ``nonce`` (32 bytes) stands for the recent blockhash and makes the memo: another nonce is another payment.
    ``amount`` in the token's smallest unit instead of the offer's. Raises ValueError for an offer that cannot
    be paid from a Solana wallet.
    """
    extra = offer.get("extra")
    if str(offer.get("network")).partition(":")[0] != "solana" or not isinstance(extra, Mapping):
        raise ValueError("an offer for Solana wallets names solana and has extra")
    mint, receiver = _address_in(offer, "asset"), _address_in(offer, "payTo")
    return SolanaPayment(
        shape=shape,
        version=version_of(shape),
        scheme=offer.get("scheme"),
        network=network_name(shape, "solana", offer),
        accepted=dict(offer),
        payer=wallet.address,
        source=token_account(wallet.address, mint),
        mint=mint,
        destination=token_account(receiver, mint),
        amount=int(offer.get("amount", 0)) if amount is None else amount,
        fee_payer=_address_in(extra, "feePayer"),
        blockhash=nonce,
        memo=nonce[:16].hex().encode(),
        layout="bare" if shape == "v1" else "memo",
    )


def token_account(owner: str, mint: str) -> str:
    """The account in which ``owner`` keeps the token ``mint``: its associated token account, all in base58."""
    from venice_contract.wallets import curves

    program = _key(_TOKEN_ACCOUNTS)
    seeds = _key(owner) + _key(_TOKEN_PROGRAM) + _key(mint)
    for bump in range(255, -1, -1):
        hashed = hashlib.sha256(seeds + bytes([bump]) + program + b"ProgramDerivedAddress").digest()
        if not curves.is_ed25519_point(hashed):  # nobody may hold its secret key
            return curves.base58_text(hashed)
    raise ValueError("no such account can be derived")


def _address_in(members: Mapping[str, Any], name: str) -> str:
    address = members.get(name)
    try:
        _key(address if isinstance(address, str) else "")
    except ValueError:
        raise ValueError(f"the offer's {name} is no Solana address") from None
    return str(address)


def _key(address: str) -> bytes:
    from venice_contract.wallets import curves

    raw = curves.base58_bytes(address)
    if len(raw) != 32:
        raise ValueError("a Solana address is base58 of 32 bytes")
    return raw
