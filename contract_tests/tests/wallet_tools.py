"""What the tests of the suite's wallets share: keys from a public sentence, real clients' headers, the mock's verdict.

Tests may ask the mock; the wallets themselves never do.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from venice_contract.wallets import Kind, Wallet, make_wallet
from venice_mock.contract import load_contract
from venice_mock.wallet import payments, signin

_X402 = load_contract("2026-06-19").edition.x402
_VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"

SIGN_INS: dict[str, Any] = json.loads((_VECTORS / "vectors-siwx.json").read_bytes())
PAYMENTS: dict[str, Any] = json.loads((_VECTORS / "vectors-payments.json").read_bytes())
NOW: float = SIGN_INS["now_ms"] / 1000
OFFERS: dict[Kind, dict[str, Any]] = dict(zip(("evm", "solana"), PAYMENTS["accepts"], strict=True))
KINDS: tuple[Kind, ...] = ("evm", "solana")


def entropy(number: int) -> bytes:
    """32 bytes anyone can derive: wallets made of them must never hold anything."""
    return hashlib.sha256(f"venice-contract test wallet {number}".encode()).digest()


WALLETS: dict[Kind, Wallet] = {kind: make_wallet(kind, entropy(1)) for kind in KINDS}
STRANGERS: dict[Kind, Wallet] = {kind: make_wallet(kind, entropy(2)) for kind in KINDS}


def sign_in_verdict(header: str, now: float = NOW) -> str:
    """The address that the mock takes a header for, or the code that refuses it, less its common prefix."""
    try:
        return signin.verify_sign_in(
            header, facts=_X402.sign_in, now=now, own_hosts=(), smart_wallets={}
        ).address
    except signin.SignInFault as fault:
        return fault.code.removeprefix("X402_SIGN_IN_")


def pay(header: str, now: float = NOW) -> payments.Payment:
    """The payment that the mock reads in a header made out to the vectors' receivers. Raises PaymentFault."""
    receivers = {
        offer["network"]: payments.Receiver(offer["payTo"], offer["extra"].get("feePayer"))
        for offer in OFFERS.values()
    }
    return payments.verify_payment(header, facts=_X402.payments, receivers=receivers, now=now)


def pay_verdict(header: str, now: float = NOW) -> str:
    """``<payer> <micro-USDC>`` when the mock takes a payment, else the code and, if there is one, the reason."""
    try:
        paid = pay(header, now)
    except payments.PaymentFault as fault:
        return fault.code if fault.details is None else f"{fault.code} {fault.details['reason']}"
    return f"{paid.payer} {paid.micro_usdc}"
