"""Checks of topping up a wallet: payments that are refused before anything is settled."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    NotApplicable,
    equal,
    error_text,
    expect,
    has_status,
    json_of,
    text_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.rules.top_ups import (
    KINDS,
    chain,
    header_names,
    offer_to,
    pay,
    payment_from,
)
from venice_contract.wallets import (
    ABSENT,
    SHAPES,
    Kind,
    Payment,
    Shape,
    SolanaPayment,
    Wallet,
    base64_json,
    make_wallet,
)
from venice_contract.wire.message import Reply

_STRANGER = {
    "evm": "0x00000000000000000000000000000000000000c1",
    "solana": "ContractSuiteReceiver1111111111111111111112",
}
_OTHER_TOKEN = {
    "evm": "0x00000000000000000000000000000000000000c2",
    "solana": "So11111111111111111111111111111111111111112",
}


def _refused_as(probe: Probe, reply: Reply, code: str) -> None:
    """400 with this code."""
    probe.refused(reply, 400)
    equal(error_text(reply), code, "error")


def _changed(payment: Payment | SolanaPayment, **changes: Any) -> Payment | SolanaPayment:
    return replace(payment, **changes)


# --- the header ---------------------------------------------------------------------------------------------


@check("X402-TOP-003", witnesses=header_names)
def a_bad_payment_is_refused_with_code_and_sentence(probe: Probe, name: str) -> None:
    """400 under each name of the header: the code as ``error``, a sentence as ``message``."""
    reply = probe.refused(pay(probe, "garbage", name), 400)
    body = json_of(reply)
    code = text_at(body, "error")
    expect(re.fullmatch("[A-Z0-9]+(_[A-Z0-9]+)+", code) is not None, f"error is no code: {code!r}")
    expect(" " in text_at(body, "message"), f"message is no sentence: {body['message']!r}")


@check("X402-TOP-004", witnesses=lambda facts: header_names(facts)[1:])
def older_names_mean_the_same(probe: Probe, name: str) -> None:
    """The same verdict on the same payment, here one on a foreign network."""
    wallet = probe.wallet().wallet
    value = _changed(payment_from(probe, wallet), network="eip155:137").header(wallet)
    wanted, reply = probe.unmasked(pay(probe, value)), pay(probe, value, name)
    equal(reply.status, wanted.status, f"the status under {name}")
    equal(error_text(reply), error_text(wanted), f"the error under {name}")


_NO_FORMAT = (
    "garbage", "e30=", base64_json([1, 2]), base64_json("text"), base64_json(None),
    base64_json({"x402Version": 2, "scheme": "exact", "network": "base"}), base64.b64encode(b'{"x402Ver').decode(),
    base64_json({"x402Version": 2, "payload": "text"}),
)  # fmt: skip


def _any_format(_facts: Facts) -> st.SearchStrategy[str]:
    leaves = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=5))
    lists = st.lists(leaves, max_size=3)
    keys = st.sampled_from(["x402Version", "scheme", "network", "accepted", "extra"])
    objects = st.dictionaries(keys, leaves, max_size=3)
    noise = st.binary(min_size=1, max_size=30).map(lambda raw: base64.b64encode(raw).decode("ascii"))
    words = st.from_regex("[!-~]{1,30}", fullmatch=True)
    return st.one_of(st.one_of(leaves, lists, objects).map(base64_json), noise, words)


@check("X402-TOP-010", witnesses=_NO_FORMAT, strategy=_any_format)
def what_is_no_payment_is_refused(probe: Probe, value: str) -> None:
    """Neither base64, nor JSON in it, nor an object, nor one with a payload."""
    _refused_as(probe, pay(probe, value), "INVALID_PAYMENT_FORMAT")


# --- what is chosen -----------------------------------------------------------------------------------------


@check("X402-TOP-011", witnesses=(["evm", "signature"], ["solana", "transaction"], ["evm", "authorization"]))
def a_payload_must_be_whole(probe: Probe, value: tuple[Kind, str]) -> None:
    """Refused without the part that its network needs."""
    kind, missing = value
    wallet = probe.wallet(kind).wallet
    payment = _changed(payment_from(probe, wallet), payload={missing: ABSENT})
    _refused_as(probe, pay(probe, payment.header(wallet)), "INVALID_PAYMENT")


_NETWORKS = (
    ["v1", "polygon"], ["v2", "eip155:137"], ["hybrid", "base-sepolia"], ["v2", "eip155:84532"], ["v2", "eip155:1"],
    ["v2", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"], ["v1", "BASE"], ["v1", ""], ["v2", None],
)  # fmt: skip


@check("X402-TOP-012", witnesses=_NETWORKS)
def other_networks_are_refused(probe: Probe, value: tuple[Shape, str | None]) -> None:
    """By a name or an id that is neither Base's nor Solana's."""
    shape, network = value
    wallet = probe.wallet("solana" if str(network).startswith("solana") else "evm").wallet
    payment = _changed(payment_from(probe, wallet, shape=shape), network=network)
    _refused_as(probe, pay(probe, payment.header(wallet)), "UNSUPPORTED_NETWORK")


@check("X402-TOP-013", witnesses=[[kind, shape] for shape in ("v1", "v2") for kind in KINDS])
def other_receivers_are_refused(probe: Probe, value: tuple[Kind, Shape]) -> None:
    """A payment in order, but made out to somebody else."""
    kind, shape = value
    wallet = probe.wallet(kind).wallet
    offer = offer_to(probe, kind) | {"payTo": _STRANGER[kind]}
    payment = payment_from(probe, wallet, shape=shape, offer=offer)
    _refused_as(probe, pay(probe, payment.header(wallet)), "INVALID_PAYMENT_RECIPIENT")


@check("X402-TOP-013", witnesses=("evm",))
def a_receiver_that_only_the_signature_names_counts(probe: Probe, kind: Kind) -> None:
    """The requirement names the right one, the authorization another."""
    wallet = probe.wallet(kind).wallet
    payment = _changed(payment_from(probe, wallet), receiver=_STRANGER[kind])
    _refused_as(probe, pay(probe, payment.header(wallet)), "INVALID_PAYMENT_RECIPIENT")


@check("X402-TOP-014", witnesses=KINDS)
def other_tokens_are_refused(probe: Probe, kind: Kind) -> None:
    """A requirement that names another contract, or another mint."""
    wallet = probe.wallet(kind).wallet
    offer = offer_to(probe, kind) | {"asset": _OTHER_TOKEN[kind]}
    payment = payment_from(probe, wallet, offer=offer)
    _refused_as(probe, pay(probe, payment.header(wallet)), "UNSUPPORTED_TOKEN")


@check(
    "X402-TOP-030",
    witnesses=[[kind, shape] for kind in KINDS for shape in SHAPES if shape != "v2"],
)
def a_token_that_is_not_named_fails_verification(probe: Probe, value: tuple[Kind, Shape]) -> None:
    """The flat shapes name none, so another one shows only in what was signed."""
    kind, shape = value
    session = chain(probe)
    wallet = session.wallet(kind).wallet
    offer = offer_to(session, kind) | {"asset": _OTHER_TOKEN[kind]}
    payment = payment_from(session, wallet, shape=shape, offer=offer)
    _refused_as(session, pay(session, payment.header(wallet)), "PAYMENT_VERIFICATION_FAILED")


@check("X402-TOP-015", witnesses=(["v2", "upto"], ["v1", "upto"], ["hybrid", "EXACT"]))
def other_schemes_are_refused(probe: Probe, value: tuple[Shape, str]) -> None:
    """Only ``exact`` is known."""
    shape, scheme = value
    wallet = probe.wallet().wallet
    payment = _changed(payment_from(probe, wallet, shape=shape), scheme=scheme)
    _refused_as(probe, pay(probe, payment.header(wallet)), "UNSUPPORTED_SCHEME")


# --- who pays how much --------------------------------------------------------------------------------------


@check("X402-TOP-016", witnesses=("five dollars", "-5000000", "5000000.5", "", None))
def an_amount_must_be_a_whole_number(probe: Probe, amount: str | None) -> None:
    """Of base units, as text."""
    wallet = probe.wallet().wallet
    payment = _changed(payment_from(probe, wallet), value=amount)
    _refused_as(probe, pay(probe, payment.header(wallet)), "INVALID_AMOUNT")


@check("X402-TOP-017", witnesses=("missing", "0x12", None, "somebody"))
def a_payer_must_be_told(probe: Probe, payer: str | None) -> None:
    """By an address."""
    wallet = probe.wallet().wallet
    said = {"from": ABSENT if payer == "missing" else payer}
    payment = _changed(payment_from(probe, wallet), authorization=said)
    _refused_as(probe, pay(probe, payment.header(wallet)), "INVALID_PAYMENT_PAYER")


def _below(facts: Facts) -> list[list[Any]]:
    least = facts.edition.x402.payments.min_micro_usdc
    return [["evm", least - 1], ["solana", least - 1], ["evm", 1], ["evm", 0]]


@check("X402-TOP-018", witnesses=_below)
def less_than_the_minimum_is_refused(probe: Probe, value: tuple[Kind, int]) -> None:
    """By as little as a millionth of a dollar."""
    _amount_is_refused(probe, *value, "AMOUNT_TOO_LOW")


def _above(facts: Facts) -> list[list[Any]]:
    most = facts.edition.x402.payments.max_micro_usdc
    return [["evm", most + 1], ["solana", most + 1], ["evm", 10**18]]


@check("X402-TOP-019", witnesses=_above)
def more_than_the_maximum_is_refused(probe: Probe, value: tuple[Kind, int]) -> None:
    """By as little as a millionth of a dollar."""
    _amount_is_refused(probe, *value, "AMOUNT_TOO_HIGH")


def _amount_is_refused(probe: Probe, kind: Kind, units: int, code: str) -> None:
    wallet = probe.wallet(kind).wallet
    _refused_as(probe, pay(probe, payment_from(probe, wallet, amount=units).header(wallet)), code)


# --- verification -------------------------------------------------------------------------------------------

_UNVERIFIED = (
    ["evm", "a flipped bit"], ["solana", "a flipped bit"], ["evm", "too late"], ["evm", "too early"],
    ["evm", "another signer"], ["solana", "another signer"], ["evm", "another amount"], ["solana", "unsigned"],
)  # fmt: skip


def _any_bit(_facts: Facts) -> st.SearchStrategy[list[Any]]:
    kinds = st.sampled_from(KINDS)
    return kinds.flatmap(lambda kind: st.integers(0, 511).map(lambda bit: [kind, bit]))


@check("X402-TOP-020", witnesses=_UNVERIFIED, strategy=_any_bit)
def what_cannot_be_verified_is_refused(probe: Probe, value: tuple[Kind, str | int]) -> None:
    """A wrong signature, one for other terms, and a time that is past or still to come."""
    kind, fault = value
    wallet = probe.wallet(kind).wallet
    payment = payment_from(probe, wallet)
    now = int(probe.now())
    signer = wallet
    if fault == "another signer":
        signer = _another(probe, kind)
    elif fault == "too late":
        payment = _changed(payment, valid_after=str(now - 7200), valid_before=str(now - 3600))
    elif fault == "too early":
        payment = _changed(payment, valid_after=str(now + 3600), valid_before=str(now + 7200))
    elif fault == "another amount":
        payment = _changed(payment, authorization={"value": "6000000"})
    elif fault == "unsigned":
        payment = _changed(payment, signed=False)
    else:
        payment = _changed(payment, flipped_bit=300 if isinstance(fault, str) else fault)
    _refused_as(probe, pay(probe, payment.header(signer)), "PAYMENT_VERIFICATION_FAILED")


def _another(probe: Probe, kind: Kind) -> Wallet:
    return make_wallet(kind, probe.random.randbytes(32))


@check("X402-TOP-020", witnesses=KINDS)
def who_has_no_funds_cannot_pay(probe: Probe, kind: Kind) -> None:
    """A payment in order from a wallet that is empty on the chain, as every fresh wallet is on a real one."""
    if not probe.steerable and not probe.bench.target.is_remote:
        raise NotApplicable("nobody knows whether the chain of a local server is real")
    where = chain(probe, usdc_onchain={"*": 0}) if probe.steerable else probe
    wallet = where.wallet(kind).wallet
    reply = pay(where, payment_from(where, wallet).header(wallet))
    _refused_as(where, reply, "PAYMENT_VERIFICATION_FAILED")


# --- transactions on Solana, without a chain ----------------------------------------------------------------

_BAD_TRANSACTIONS = (
    "four-memos", "no-limit", "no-price", "swapped-budget", "no-transfer", "unchecked-transfer", "second-transfer",
    "foreign-program", "fee-payer-named", "unsigned-payer", "legacy", "another mint", "other decimals",
    "another receiver", "too little", "another fee payer", "a flipped bit", "unsigned", "another signer",
)  # fmt: skip


@check("X402-TOP-027", witnesses=_BAD_TRANSACTIONS)
def a_transaction_is_read_to_the_end(probe: Probe, fault: str) -> None:
    """With one thing wrong it is refused, and nothing is credited."""
    session = chain(probe)
    caller = session.wallet("solana")
    offer = offer_to(session, "solana")
    payment = payment_from(session, caller.wallet)
    assert isinstance(payment, SolanaPayment)
    other_mint = payment_from(session, caller.wallet, offer=offer | {"asset": _OTHER_TOKEN["solana"]})
    to_other = payment_from(session, caller.wallet, offer=offer | {"payTo": _STRANGER["solana"]})
    changes: dict[str, Any] = {
        "another mint": _changed(other_mint, accepted=offer),
        "other decimals": _changed(payment, decimals=9),
        "another receiver": _changed(to_other, accepted=offer),
        "too little": _changed(payment, amount=payment.amount - 1),
        "another fee payer": _changed(payment, fee_payer=_STRANGER["solana"]),
        "a flipped bit": _changed(payment, flipped_bit=7),
        "unsigned": _changed(payment, signed=False),
    }
    if fault not in changes and fault != "another signer":
        payment = _changed(payment, layout=fault)
    signer = _another(probe, "solana") if fault == "another signer" else caller.wallet
    reply = pay(session, changes.get(fault, payment).header(signer))
    has_status(reply, 400)
    equal(session.balance_of(caller), 0, "the wallet's credit")


@check("X402-TOP-027", witnesses=("memo", "bare"))
def a_good_transaction_is_credited(probe: Probe, layout: str) -> None:
    """As the clients of both versions build it."""
    session = chain(probe)
    caller = session.wallet("solana")
    payment = _changed(payment_from(session, caller.wallet), layout=layout)
    has_status(pay(session, payment.header(caller.wallet)), 200)
