"""Mutants of topping up a wallet: payments that must be refused before anything is settled."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from mutants.kit import Mutant, with_data, wrapping
from mutants.top_ups import VERIFY, decoded, told, without
from venice_mock.wallet.payments import PaymentFault

_JUDGE = "venice_mock.wallet.payments._Judge"
_READING = "venice_mock.wallet.transactions"


def _as(rule: str, status: int, code: str, other: str, *follows: str) -> Mutant:
    """One refusal is told under another code."""

    def change(body: dict[str, Any]) -> None:
        if body.get("error") == code:
            body["error"] = other

    return told(rule, f"{code} is told as {other}", status, change, *follows)


def _with_details_only(body: dict[str, Any]) -> None:
    body["details"] = {"message": body.pop("message", "")}


def _flat_tokens_named(original: Any) -> Any:
    def verify(header: str, **more: Any) -> Any:
        try:
            return original(header, **more)
        except PaymentFault as fault:
            if fault.code == "PAYMENT_VERIFICATION_FAILED" and "accepted" not in decoded(header):
                raise PaymentFault("UNSUPPORTED_TOKEN", "Payments are accepted in USDC only.") from fault
            raise

    return verify


def _anybody_receives(original: Any) -> Any:
    """Whoever an EVM payment names as its receiver will do."""

    def evm(self: Any, payload: Any, network: Any, receiver: Any) -> Any:
        said = payload.get("authorization")
        payee = said.get("to") if isinstance(said, dict) else None
        return original(
            self, payload, network, replace(receiver, pay_to=payee) if isinstance(payee, str) else receiver
        )

    return evm


def _any_token(original: Any) -> Any:
    """The token that a requirement names is not looked at."""

    def payment(self: Any, header: str) -> Any:
        try:
            held = decoded(header)
        except ValueError:
            return original(self, header)
        if isinstance(held.get("accepted"), dict):
            held["accepted"].pop("asset", None)
            header = base64.b64encode(json.dumps(held).encode()).decode()
        return original(self, header)

    return payment


def _any_scheme(original: Any) -> Any:
    def payment(self: Any, header: str) -> Any:
        try:
            held = decoded(header)
        except ValueError:
            return original(self, header)
        for place in (held, held.get("accepted")):
            if isinstance(place, dict) and "scheme" in place:
                place["scheme"] = "exact"
        return original(self, base64.b64encode(json.dumps(held).encode()).decode())

    return payment


def _any_sepolia(edition: dict[str, Any]) -> None:
    edition["x402"]["payments"]["networks"][0]["names"].append("eip155:84532")


def _payments(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(edition: dict[str, Any]) -> None:
        edition["x402"]["payments"][name] = value

    return change


def _endless_funds(_original: Any) -> Any:
    return lambda _self, _wallet: None


def _any_signature(_original: Any) -> Any:
    return lambda _self, _transaction, _receiver: None


def _any_fee_payer(original: Any) -> Any:
    from venice_mock.wallet import solana

    def check(self: Any, transaction: Any, receiver: Any) -> None:
        payer = solana.encode_base58(transaction.message.accounts[0])
        original(self, transaction, replace(receiver, fee_payer=payer))

    return check


def _not_to_the_end(original: Any) -> Any:
    """Nothing behind the transfer is looked at."""

    def read(message: Any) -> Any:
        return original(dataclasses.replace(message, instructions=message.instructions[:3]))

    return read


MUTANTS: tuple[Mutant, ...] = (
    told("X402-TOP-003", "a refusal has no sentence", 400, without("message")),
    told("X402-TOP-003", "the sentence stands under details", 400, _with_details_only),
    _as("X402-TOP-010", 400, "INVALID_PAYMENT_FORMAT", "X402_INVALID_PAYMENT"),
    _as("X402-TOP-011", 400, "INVALID_PAYMENT", "PAYMENT_VERIFICATION_FAILED"),
    with_data("X402-TOP-012", "a test network is taken for Base", _any_sepolia),
    _as("X402-TOP-012", 400, "UNSUPPORTED_NETWORK", "INVALID_PAYMENT"),
    wrapping(
        "X402-TOP-013",
        "an EVM payment may be made out to anybody",
        f"{_JUDGE}._evm",
        _anybody_receives,
    ),
    _as("X402-TOP-013", 400, "INVALID_PAYMENT_RECIPIENT", "PAYMENT_VERIFICATION_FAILED"),
    wrapping(
        "X402-TOP-014",
        "the token that is named is not looked at",
        f"{_JUDGE}.payment",
        _any_token,
    ),
    wrapping("X402-TOP-015", "the scheme is not looked at", f"{_JUDGE}.payment", _any_scheme),
    _as("X402-TOP-016", 400, "INVALID_AMOUNT", "AMOUNT_TOO_LOW"),
    _as("X402-TOP-017", 400, "INVALID_PAYMENT_PAYER", "INVALID_PAYMENT"),
    with_data(
        "X402-TOP-018",
        "a millionth less than five dollars will do",
        _payments("min_micro_usdc", 4_999_999),
    ),
    with_data(
        "X402-TOP-019",
        "a millionth more than ten thousand dollars will do",
        _payments("max_micro_usdc", 10_000_000_001),
    ),
    with_data("X402-TOP-020", "payments never expire", _payments("margin_s", -(10**9))),
    wrapping(
        "X402-TOP-020",
        "nobody asks whether the payer has the funds",
        "venice_mock.wallet.world.World.funds_of",
        _endless_funds,
    ),
    wrapping(
        "X402-TOP-020",
        "Solana signatures are not verified",
        f"{_JUDGE}._check_signatures",
        _any_signature,
        follows=("X402-TOP-027",),
    ),
    wrapping(
        "X402-TOP-027",
        "what follows the transfer is not looked at",
        f"{_READING}.read_transfer",
        _not_to_the_end,
    ),
    wrapping("X402-TOP-027", "anybody may pay the fees", f"{_JUDGE}._check_signatures", _any_fee_payer),
    wrapping("X402-TOP-030", "another token is told by name", VERIFY, _flat_tokens_named),
)
