"""Checks of topping up a wallet: what must be paid, and what a payment that settles is answered with.

What every check of top-ups needs to ask and to pay lives here too.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.bench import TOP_UP
from venice_contract.judging.callers import WalletCaller
from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    NotApplicable,
    at,
    equal,
    expect,
    has_status,
    header_of,
    json_of,
    list_at,
    number_at,
    object_at,
    packed_json,
    text_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.wallets import (
    SHAPES,
    Kind,
    Payment,
    Shape,
    SolanaPayment,
    Wallet,
    choose_offer,
    good_payment,
    good_solana_payment,
)
from venice_contract.wire.message import BadReply, Headers, Reply, Request

KINDS: tuple[Kind, ...] = ("evm", "solana")


# --- asking and paying --------------------------------------------------------------------------------------


def ask(probe: Probe) -> Reply:
    """The answer to a top-up without payment."""
    return probe.send(Request("POST", TOP_UP))


def offers(probe: Probe) -> list[Any]:
    """What the server accepts. It is asked once a run, for it answers only ten times a minute.

    Raises NotApplicable where it tells nothing that can be paid, which other rules judge.
    """
    place = f"offers below {probe.prefix}"
    if place not in probe.bench.memory:
        reply = ask(probe)
        try:
            body = reply.json() if reply.status == 402 else None
        except BadReply:
            body = None
        found = body.get("accepts") if isinstance(body, dict) else None
        if not isinstance(found, list) or not all(isinstance(offer, dict) for offer in found):
            probe.unmasked(reply)
            raise NotApplicable(f"answered {reply.status}: nothing tells what may be paid")
        probe.bench.memory[place] = found
    return list(probe.bench.memory[place])


def offer_to(probe: Probe, kind: Kind) -> dict[str, Any]:
    """The entry of accepts for wallets of this kind."""
    try:
        return dict(choose_offer(offers(probe), kind))
    except ValueError as error:
        raise NotApplicable(str(error)) from None


def payment_from(
    probe: Probe,
    wallet: Wallet,
    *,
    shape: Shape = "v2",
    amount: int | None = None,
    offer: dict[str, Any] | None = None,
) -> Payment | SolanaPayment:
    """A payment without fault, of the minimum unless told otherwise, and unlike any other."""
    offer = offer_to(probe, wallet.kind) if offer is None else offer
    amount = asked(probe) if amount is None else amount
    nonce = probe.random.randbytes(32)
    try:
        if wallet.kind == "solana":
            return good_solana_payment(wallet, offer, nonce=nonce, shape=shape, amount=amount)
        return good_payment(wallet, offer, now=probe.now(), nonce=nonce, shape=shape, amount=amount)
    except ValueError as error:
        raise NotApplicable(f"what the server asks for cannot be paid: {error}") from None


def header_names(facts: Facts) -> list[str]:
    """The names of the payment header, the current one first."""
    return list(facts.edition.x402.payment_headers)


def pay(probe: Probe, value: str, name: str | None = None) -> Reply:
    """The answer to a top-up with this payment header."""
    return probe.send(payment_request(probe, value, name))


def payment_request(probe: Probe, value: str, name: str | None = None) -> Request:
    """A top-up with this payment header."""
    headers: Headers = ((name or header_names(probe.facts)[0], value),)
    return Request("POST", TOP_UP, headers)


def chain(probe: Probe, **tables: Any) -> Probe:
    """A session of its own, whose chain is as the tables say: endless funds and good settlements unless told."""
    return probe.session(wallets=tables)


def usd(units: int | str) -> Decimal:
    """Dollars of an amount in USDC's base units."""
    return Decimal(units).scaleb(-6)


def asked(probe: Probe) -> int:
    """The least that may be paid, in base units: what is asked for."""
    return probe.facts.edition.x402.payments.min_micro_usdc


# --- what must be paid --------------------------------------------------------------------------------------


@check("X402-TOP-001")
def anybody_may_ask_what_to_pay(probe: Probe, _value: None) -> None:
    """402 with a version and what is accepted, without credentials or payment."""
    reply = probe.refused(ask(probe), 402)
    body = json_of(reply)
    number_at(body, "x402Version")
    expect(bool(list_at(body, "accepts")), "accepts is empty")


@check("X402-TOP-002")
def the_minimum_is_asked_for(probe: Probe, _value: None) -> None:
    """Five dollars in base units, as text, on each network."""
    minimum = probe.facts.edition.x402.minimum_amount
    for offer in offers(probe):
        equal(at(offer, "amount"), minimum, f"the amount on {offer.get('network')}")


@check("X402-TOP-008")
def requirements_are_repeated_in_a_header(probe: Probe, _value: None) -> None:
    """PAYMENT-REQUIRED is base64 of the body."""
    reply = ask(probe)
    if reply.status != 402:
        probe.unmasked(reply)
        raise NotApplicable(f"answered {reply.status}: there is no 402 to look at")
    name = probe.facts.edition.headers["payment_required"]
    equal(packed_json(header_of(reply, name), name), json_of(reply), "the header's content")


@check("X402-TOP-008")
def networks_have_their_long_names(probe: Probe, _value: None) -> None:
    """Base and Solana by their CAIP-2 ids."""
    found = sorted(str(offer.get("network")) for offer in offers(probe))
    equal(found, sorted(rail.caip2 for rail in probe.facts.edition.x402.rails), "the networks")


_BODIES = ("", "{}", '{"walletAddress": "0x00000000000000000000000000000000000000c1", "amountUsd": 25}')


@check("X402-TOP-028", witnesses=_BODIES)
def the_body_does_not_matter(probe: Probe, body: str) -> None:
    """The same answer as without one."""
    wanted = ask(probe)
    request = Request("POST", TOP_UP, (("Content-Type", "application/json"),), body.encode())
    reply = probe.send(request)
    equal(reply.status, wanted.status, "the status")
    equal(json_of(reply), json_of(wanted), "the body")


# --- a payment that settles ---------------------------------------------------------------------------------


@check("X402-TOP-005", witnesses=KINDS)
def a_payment_becomes_credit(probe: Probe, kind: Kind) -> None:
    """200 that says whose, how much, what there is now and under which id; a receipt comes in a header."""
    session = chain(probe)
    wallet = session.funded_wallet("1.25", kind)
    payment = payment_from(session, wallet.wallet)
    reply = has_status(pay(session, payment.header(wallet.wallet)), 200)
    body = json_of(reply)
    equal(at(body, "success"), True, "success")
    data = object_at(body, "data")
    equal(text_at(data, "walletAddress").lower(), wallet.wallet.address.lower(), "data.walletAddress")
    credit = usd(asked(probe))
    equal(_dollars(data, "amountCredited"), credit, "data.amountCredited")
    equal(_dollars(data, "newBalance"), Decimal("1.25") + credit, "data.newBalance")
    text_at(data, "paymentId")
    header_of(reply, probe.facts.edition.headers["payment_response"])
    equal(session.balance_of(wallet), Decimal("1.25") + credit, "the balance afterwards")


def _dollars(data: dict[str, Any], name: str) -> Decimal:
    return Decimal(str(number_at(data, name)))


@check("X402-TOP-007", witnesses=[[kind, shape] for kind in KINDS for shape in SHAPES])
def each_shape_of_payment_counts(probe: Probe, value: tuple[Kind, Shape]) -> None:
    """Version 1, version 2 and the flat shape labelled 2."""
    kind, shape = value
    session = chain(probe)
    wallet = session.wallet(kind)
    _is_credited(session, wallet, payment_from(session, wallet.wallet, shape=shape).header(wallet.wallet))


@check("X402-TOP-007", witnesses=[[kind, shape] for kind in KINDS for shape in ("v1", "hybrid")])
def flat_shapes_may_use_long_names(probe: Probe, value: tuple[Kind, Shape]) -> None:
    """A network's CAIP-2 id, where most clients write its short name."""
    kind, shape = value
    session = chain(probe)
    wallet = session.wallet(kind)
    payment = payment_from(session, wallet.wallet, shape=shape)
    payment = replace(payment, network=_caip2(probe.facts, kind))
    _is_credited(session, wallet, payment.header(wallet.wallet))


def _caip2(facts: Facts, kind: Kind) -> str:
    return next(each.caip2 for each in facts.edition.x402.payments.networks if each.rail == kind)


def _is_credited(session: Probe, wallet: WalletCaller, header: str, units: int | None = None) -> None:
    has_status(pay(session, header), 200)
    wanted = usd(asked(session) if units is None else units)
    equal(session.balance_of(wallet), wanted, "the wallet's credit")


def _amounts(facts: Facts) -> list[list[Any]]:
    x402 = facts.edition.x402.payments
    return [
        [kind, units] for kind in KINDS for units in (x402.min_micro_usdc, 12_500_001, x402.max_micro_usdc)
    ]


def _any_amounts(facts: Facts) -> st.SearchStrategy[list[Any]]:
    x402 = facts.edition.x402.payments
    units = st.integers(x402.min_micro_usdc, x402.max_micro_usdc)
    return st.tuples(st.sampled_from(KINDS), units).map(list)


@check("X402-TOP-009", witnesses=_amounts, strategy=_any_amounts)
def what_was_signed_is_credited(probe: Probe, value: tuple[Kind, int]) -> None:
    """Whatever was asked for."""
    kind, units = value
    session = chain(probe)
    wallet = session.wallet(kind)
    payment = payment_from(session, wallet.wallet, amount=units)
    reply = has_status(pay(session, payment.header(wallet.wallet)), 200)
    equal(_dollars(object_at(json_of(reply), "data"), "amountCredited"), usd(units), "data.amountCredited")
    equal(session.balance_of(wallet), usd(units), "the wallet's credit")


_TRANSACTIONS = {"evm": r"0x[0-9a-fA-F]{64}", "solana": r"[1-9A-HJ-NP-Za-km-z]{64,88}"}


@check("X402-TOP-029", witnesses=KINDS)
def a_receipt_names_the_transaction(probe: Probe, kind: Kind) -> None:
    """PAYMENT-RESPONSE: success, on which network, who paid, and a reference as that network writes it."""
    session = chain(probe)
    wallet = session.wallet(kind)
    reply = pay(session, payment_from(session, wallet.wallet).header(wallet.wallet))
    if reply.status != 200:
        raise NotApplicable(f"answered {reply.status}: nothing was settled")
    name = probe.facts.edition.headers["payment_response"]
    receipt = packed_json(header_of(reply, name), name)
    equal(at(receipt, "success"), True, f"success in {name}")
    equal(at(receipt, "network"), _caip2(probe.facts, kind), f"network in {name}")
    equal(text_at(receipt, "payer").lower(), wallet.wallet.address.lower(), f"payer in {name}")
    reference = text_at(receipt, "transaction")
    expect(
        re.fullmatch(_TRANSACTIONS[kind], reference) is not None, f"transaction in {name} is {reference!r}"
    )
