"""Judging each kind of wallet header, against nothing but the signature's own arithmetic in the same library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Literal

from benchmarks.cases import Bench, Case
from benchmarks.measuring import Outcome, compare, in_process, interleave
from venice_mock.contract import load_contract
from venice_mock.wallet.payments import Receiver, verify_payment
from venice_mock.wallet.signin import verify_sign_in
from venice_mock.wallet.signing import Wallet, new_wallet, payment_header, secret_bytes, sign_in_header

_X402 = load_contract("2026-06-19").edition.x402
_NOW = 1_782_000_000.0
_ENTROPY = hashlib.sha256(b"venice-mock benchmark wallet").digest()
Kind = Literal["evm", "solana"]


def _bare_check(wallet: Wallet) -> Callable[[], object]:
    """One signature of this kind checked by the library alone."""
    if wallet.kind == "evm":
        from venice_mock.wallet import evm

        digest = evm.personal_message_hash("a text")
        signature = evm.sign(digest, secret_bytes(wallet))
        return lambda: evm.recover(digest, signature)
    from venice_mock.wallet import solana

    seed = secret_bytes(wallet)
    signed, key = solana.sign(b"a text", seed), solana.public_key_of(seed)
    return lambda: solana.verify(key, b"a text", signed)


def _sign_in(kind: Kind) -> tuple[Wallet, Callable[[], object]]:
    wallet, facts = new_wallet(kind, entropy=_ENTROPY), _X402.sign_in
    chain = facts.evm_chain if kind == "evm" else facts.solana_chain
    header = sign_in_header(
        wallet, domain="localhost", uri="http://localhost", chain=chain, now=_NOW, nonce="0123456789abcdef"
    )
    judge = partial(verify_sign_in, header, facts=facts, now=_NOW, own_hosts=(), smart_wallets={})
    return wallet, judge


def _payment(kind: Kind) -> tuple[Wallet, Callable[[], object]]:
    wallet, rail = new_wallet(kind, entropy=_ENTROPY), _X402.rails[0 if kind == "evm" else 1]
    receiver = Receiver(rail.pay_to, rail.extra.get("feePayer"))
    offer = {
        "scheme": _X402.scheme,
        "network": rail.caip2,
        "asset": rail.asset,
        "amount": _X402.minimum_amount,
        "payTo": rail.pay_to,
        "maxTimeoutSeconds": _X402.max_timeout_s,
        "extra": dict(rail.extra),
    }
    header = payment_header(
        wallet, offer=offer, facts=_X402.payments, micro_usdc=5_000_000, now=_NOW, nonce=_ENTROPY
    )
    receivers = {rail.caip2: receiver}
    return wallet, partial(verify_payment, header, facts=_X402.payments, receivers=receivers, now=_NOW)


def _against_bare(make: Callable[[], tuple[Wallet, Callable[[], object]]], bench: Bench) -> Outcome:
    wallet, judge = make()
    bare, count = _bare_check(wallet), bench.operations(40)
    return compare(
        *interleave(bench.rounds, partial(in_process, judge, count), partial(in_process, bare, count)),
        judged="cpu",
    )


_BARE = "the signature alone, checked by the same library"

CASES = (
    Case(
        "sign-in-evm",
        "a SIGN-IN-WITH-X header of an EVM wallet judged (EIP-191)",
        _BARE,
        "seconds",
        partial(_against_bare, partial(_sign_in, "evm")),
    ),
    Case(
        "sign-in-solana",
        "a SIGN-IN-WITH-X header of a Solana wallet judged (Ed25519)",
        _BARE,
        "seconds",
        partial(_against_bare, partial(_sign_in, "solana")),
    ),
    Case(
        "payment-evm",
        "a top-up payment on Base judged (EIP-712)",
        _BARE,
        "seconds",
        partial(_against_bare, partial(_payment, "evm")),
    ),
    Case(
        "payment-solana",
        "a top-up payment on Solana judged (transaction and Ed25519)",
        _BARE,
        "seconds",
        partial(_against_bare, partial(_payment, "solana")),
    ),
)
