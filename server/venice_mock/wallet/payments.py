"""Reading and judging a top-up payment header: who pays how much, or which code refuses it.

Takes x402 version 1, true version 2 (with ``accepted``) and version 1's flat shape labelled 2. Pure and
synchronous: whether a payment was credited before, and whether the payer has the funds, is the caller's to
know. No cryptographic library is imported before a header is judged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from venice_mock.contract.wallet_types import PaymentFacts, PaymentNetwork, WalletKind
from venice_mock.wallet.encoded import decode_header

if TYPE_CHECKING:
    from venice_mock.wallet.transactions import Transaction

Why = Literal[
    "INVALID_PAYMENT_FORMAT",
    "UNSUPPORTED_NETWORK",
    "UNSUPPORTED_TOKEN",
    "UNSUPPORTED_SCHEME",
    "INVALID_PAYMENT",
    "INVALID_PAYMENT_RECIPIENT",
    "INVALID_AMOUNT",
    "INVALID_PAYMENT_PAYER",
    "AMOUNT_TOO_LOW",
    "AMOUNT_TOO_HIGH",
    "PAYMENT_VERIFICATION_FAILED",
]

_UINT256 = re.compile(r"[0-9]{1,78}")
_BYTES32 = re.compile(r"0x[0-9a-fA-F]{64}")


class Receiver(msgspec.Struct, frozen=True):
    """Whom a network's payments go to; ``fee_payer`` on Solana only."""

    pay_to: str
    fee_payer: str | None = None


class Payment(msgspec.Struct, frozen=True):
    """A verified payment. ``network`` is CAIP-2; ``payer`` in lower case on EVM.

    ``payment_id`` stands for what the chain lets happen once, whatever header brought it: an EVM payer's
    nonce, a Solana message. ``transaction`` is the reference of the simulated settlement: 0x and 64 hex, or
    base58 of 64 bytes; the same payment always gets the same.
    """

    payer: str
    network: str
    rail: WalletKind
    micro_usdc: int
    payment_id: str
    transaction: str


class PaymentFault(Exception):
    """A refused payment: the code, its sentence and, where more can be said, ``details`` with a ``reason``."""

    def __init__(self, code: Why, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details = details


def verify_payment(
    header: str, *, facts: PaymentFacts, receivers: Mapping[str, Receiver], now: float
) -> Payment:
    """Judge one header value at ``now`` (Unix seconds). ``receivers`` by CAIP-2 network.

    A network without a receiver is unsupported. Raises PaymentFault with the first fault found: the envelope
    and what it names (in the order of ``Why``), then what was signed.
    """
    judge = _Judge(facts, receivers, now)
    return judge.payment(header)


class _Judge:
    """One judgement: the facts at hand, so that each step reads plainly."""

    def __init__(self, facts: PaymentFacts, receivers: Mapping[str, Receiver], now: float) -> None:
        self._facts = facts
        self._receivers = receivers
        self._now = now

    def payment(self, header: str) -> Payment:
        envelope = self._envelope(header)
        chosen = envelope if envelope.get("accepted") is None else envelope["accepted"]
        network = self._network(chosen.get("network"))
        receiver = self._receivers[network.caip2]
        if not _same(network.rail, chosen.get("asset", network.asset), network.asset):
            raise self._fault("UNSUPPORTED_TOKEN")
        if chosen.get("scheme") != self._facts.scheme:
            raise self._fault("UNSUPPORTED_SCHEME")
        if not _same(network.rail, chosen.get("payTo", receiver.pay_to), receiver.pay_to):
            raise self._fault("INVALID_PAYMENT_RECIPIENT")
        if network.rail == "evm":
            return self._evm(envelope["payload"], network, receiver)
        return self._solana(envelope["payload"], network, receiver)

    def _envelope(self, header: str) -> dict[str, Any]:
        try:
            envelope = decode_header(header, self._facts.max_header_bytes)
        except ValueError as error:
            raise self._fault("INVALID_PAYMENT_FORMAT") from error
        if not isinstance(envelope, dict) or not isinstance(envelope.get("payload"), dict):
            raise self._fault("INVALID_PAYMENT_FORMAT")
        version, accepted = envelope.get("x402Version"), envelope.get("accepted")
        if isinstance(version, bool) or version not in self._facts.versions:
            raise self._fault("INVALID_PAYMENT_FORMAT")
        if not (accepted is None or isinstance(accepted, dict)):
            raise self._fault("INVALID_PAYMENT_FORMAT")
        return envelope

    def _network(self, name: object) -> PaymentNetwork:
        for network in self._facts.networks:
            if name in network.names and network.caip2 in self._receivers:
                return network
        raise self._fault("UNSUPPORTED_NETWORK")

    def _evm(self, payload: Mapping[str, Any], network: PaymentNetwork, receiver: Receiver) -> Payment:
        from venice_mock.wallet import evm

        signature, said = payload.get("signature"), payload.get("authorization")
        if not isinstance(signature, str) or not signature or not isinstance(said, dict):
            raise self._fault("INVALID_PAYMENT")
        valid_after, valid_before = _uint256(said.get("validAfter")), _uint256(said.get("validBefore"))
        nonce = said.get("nonce")
        if valid_after is None or valid_before is None:
            raise self._fault("INVALID_PAYMENT")
        if not isinstance(nonce, str) or not _BYTES32.fullmatch(nonce):
            raise self._fault("INVALID_PAYMENT")
        payee, payer = said.get("to"), said.get("from")
        if not isinstance(payee, str) or not _same("evm", payee, receiver.pay_to):
            raise self._fault("INVALID_PAYMENT_RECIPIENT")
        value = _uint256(said.get("value"))
        if value is None:
            raise self._fault("INVALID_AMOUNT")
        if not isinstance(payer, str) or not evm.is_address(payer):
            raise self._fault("INVALID_PAYMENT_PAYER")
        self._check_amount(value)
        if valid_after > self._now:
            raise self._unverified("not_yet_valid")
        if valid_before < self._now + self._facts.margin_s:
            raise self._unverified("expired")
        if network.domain is None:
            raise self._fault("UNSUPPORTED_NETWORK")
        payer = payer.lower()
        digest = evm.transfer_authorization_hash(
            evm.TransferAuthorization(
                payer, payee, value, valid_after, valid_before, bytes.fromhex(nonce[2:])
            ),
            domain=network.domain,
            contract=network.asset,
        )
        if evm.recover(digest, signature) != payer:
            raise self._unverified("signature_mismatch")
        # A token remembers nonces by payer, so a second amount under the same nonce is no second payment.
        key = f"{network.caip2} {network.asset} {payer} {nonce.lower()}".encode()
        settled = "0x" + hashlib.sha256(b"settlement " + key).hexdigest()
        return Payment(payer, network.caip2, "evm", value, _payment_id(key), settled)

    def _solana(self, payload: Mapping[str, Any], network: PaymentNetwork, receiver: Receiver) -> Payment:
        from venice_mock.wallet import solana
        from venice_mock.wallet.transactions import TransferError, read_transfer

        transaction = self._transaction(payload.get("transaction"))
        try:
            transfer = read_transfer(transaction.message)
        except TransferError as error:
            raise self._unverified(str(error)) from error
        if transfer.mint != solana.decode_address(network.asset) or transfer.decimals != network.decimals:
            raise self._unverified("asset_mismatch")
        payee = solana.decode_address(receiver.pay_to)
        if payee is None or transfer.destination != solana.token_account(payee, transfer.mint):
            raise self._fault("INVALID_PAYMENT_RECIPIENT")
        if transfer.authority_index >= transaction.message.required_signatures:
            raise self._fault("INVALID_PAYMENT_PAYER")
        self._check_amount(transfer.amount)
        self._check_signatures(transaction, receiver)
        payer = solana.encode_base58(transfer.authority)
        key = f"{network.caip2} ".encode() + transaction.signed
        settled = solana.encode_base58(hashlib.sha512(b"settlement " + key).digest())
        return Payment(payer, network.caip2, "solana", transfer.amount, _payment_id(key), settled)

    def _transaction(self, encoded: object) -> Transaction:
        from venice_mock.wallet.transactions import parse_transaction

        if not isinstance(encoded, str) or not encoded.isascii():
            raise self._fault("INVALID_PAYMENT")
        try:
            return parse_transaction(base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError) as error:
            raise self._fault("INVALID_PAYMENT") from error

    def _check_signatures(self, transaction: Transaction, receiver: Receiver) -> None:
        """All but the fee payer must have signed; the fee payer, the settling server, signs last."""
        from venice_mock.wallet import solana

        accounts = transaction.message.accounts
        fee_payer = None if receiver.fee_payer is None else solana.decode_address(receiver.fee_payer)
        if fee_payer is None or accounts[0] != fee_payer:
            raise self._unverified("fee_payer_mismatch")
        signed = zip(accounts[1:], transaction.signatures[1:], strict=False)
        if not all(solana.verify(key, transaction.signed, signature) for key, signature in signed):
            raise self._unverified("signature_mismatch")

    def _check_amount(self, amount: int) -> None:
        if amount < self._facts.min_micro_usdc:
            raise self._fault("AMOUNT_TOO_LOW")
        if amount > self._facts.max_micro_usdc:
            raise self._fault("AMOUNT_TOO_HIGH")

    def _fault(self, code: Why) -> PaymentFault:
        return PaymentFault(code, self._facts.refusals[code])

    def _unverified(self, reason: str) -> PaymentFault:
        code: Why = "PAYMENT_VERIFICATION_FAILED"
        return PaymentFault(code, self._facts.refusals[code], {"reason": reason})


def _same(rail: WalletKind, one: object, other: str) -> bool:
    if not isinstance(one, str):
        return False
    return one.lower() == other.lower() if rail == "evm" else one == other


def _uint256(text: object) -> int | None:
    """A decimal text as a number, or None when it is not one or does not fit in 256 bits."""
    if not isinstance(text, str) or not _UINT256.fullmatch(text):
        return None
    number = int(text)
    return number if number < 2**256 else None


def _payment_id(key: bytes) -> str:
    return "x402-" + hashlib.sha256(b"payment " + key).hexdigest()[:32]
