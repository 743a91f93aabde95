"""Checks of topping up a wallet: what becomes of a payment that verifies. Seen on a mock's simulated chain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from venice_contract.judging.check import check
from venice_contract.judging.expect import equal, error_text, expect, has_status, json_of, members
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.rules.top_ups import (
    KINDS,
    ask,
    asked,
    chain,
    header_names,
    offers,
    pay,
    payment_from,
    payment_request,
    usd,
)
from venice_contract.wallets import SHAPES, Kind, Payment, Wallet
from venice_contract.wire.message import Reply

_WAYS = (
    ["evm", "twice"], ["solana", "twice"], ["evm", "many at once"], ["solana", "many at once"],
    ["evm", "under other names"], ["evm", "in other shapes"], ["solana", "in other shapes"],
    ["evm", "written otherwise"], ["evm", "for another amount"],
)  # fmt: skip


@check("X402-TOP-006", witnesses=_WAYS)
def a_payment_is_credited_once(probe: Probe, value: tuple[Kind, str]) -> None:
    """However it is sent again."""
    kind, way = value
    session = chain(probe)
    wallet = session.wallet(kind)
    requests = [
        payment_request(session, header, name) for header, name in _again(session, wallet.wallet, way)
    ]
    if way == "many at once":
        replies = session.send_all([(request, NOBODY) for request in requests])
    else:
        replies = [session.send(request) for request in requests]
    statuses = sorted(reply.status for reply in replies)
    expect(200 in statuses, f"nothing was credited at all: {statuses}")
    balance = session.balance_of(wallet)
    once = balance == usd(asked(probe)) and statuses.count(200) == 1
    sees = f"one payment sent {len(requests)} times is answered {statuses} and credited with {balance:f}"
    probe.agrees("topup-resubmitted", sees, documented=once, observed=once)


def _again(session: Probe, wallet: Wallet, way: str) -> list[tuple[str, str | None]]:
    """The headers of one payment sent several times, each with its name."""
    payment = payment_from(session, wallet)
    header = payment.header(wallet)
    if way == "twice":
        return [(header, None)] * 2
    if way == "many at once":
        return [(header, None)] * 8
    if way == "under other names":
        return [(header, name) for name in header_names(session.facts)]
    if way == "in other shapes":
        forms = [payment_from(session, wallet, shape=shape) for shape in SHAPES]
        same = [replace(payment, shape=f.shape, version=f.version, network=f.network) for f in forms]
        return [(each.header(wallet), None) for each in same]
    assert isinstance(payment, Payment)
    if way == "for another amount":  # a token remembers the nonce, whatever it was used for
        return [(header, None), (replace(payment, value=str(2 * int(payment.value))).header(wallet), None)]
    said = {"nonce": "0x" + str(payment.nonce)[2:].upper(), "from": str(payment.payer).lower()}
    return [(header, None), (replace(payment, authorization=said).header(wallet), None)]


@check("X402-TOP-026", witnesses=KINDS)
def a_settled_payment_sent_again_is_a_conflict(probe: Probe, kind: Kind) -> None:
    """409 on the mock."""
    session = chain(probe)
    wallet = session.wallet(kind).wallet
    header = payment_from(session, wallet).header(wallet)
    has_status(pay(session, header), 200)
    again = pay(session, header)
    fits = {side: again.status == way for side, way in probe.facts.ways("topup-resubmitted").items()}
    sides = {"documented": False, "observed": False, **fits}
    probe.agrees("topup-resubmitted", f"a settled payment sent again is answered {again.status}", **sides)


# --- settlements that fail ----------------------------------------------------------------------------------


def _settled(probe: Probe, kind: Kind, code: str, status: int) -> Reply:
    """The answer to a good payment on a chain that fails so: this status and code, and nothing credited."""
    session = chain(probe, settlements={"*": code})
    offers(session)
    wallet = session.wallet(kind)
    reply = pay(session, payment_from(session, wallet.wallet).header(wallet.wallet))
    has_status(reply, status)
    equal(error_text(reply), code, "error")
    equal(session.balance_of(wallet), Decimal(0), "the wallet's credit")
    equal(session.ledger_of(wallet), [], "the wallet's ledger")
    return reply


@check("X402-TOP-021", witnesses=KINDS)
def a_payment_that_fails_on_the_chain_credits_nothing(probe: Probe, kind: Kind) -> None:
    """402 and its code."""
    _settled(probe, kind, "SETTLEMENT_FAILED", 402)


@check("X402-TOP-022", witnesses=KINDS)
def a_payment_that_is_being_settled_is_a_conflict(probe: Probe, kind: Kind) -> None:
    """409 and its code."""
    _settled(probe, kind, "PAYMENT_IN_PROGRESS", 409)


@check("X402-TOP-024", witnesses=KINDS)
def a_settlement_that_hangs_times_out(probe: Probe, kind: Kind) -> None:
    """504 and its code."""
    _settled(probe, kind, "SETTLEMENT_TIMEOUT", 504)


@check("X402-TOP-023", witnesses=("asking", "paying"))
def a_server_without_payment_says_so(probe: Probe, how: str) -> None:
    """503 and its code, whether asked or paid."""
    payment = payment_from(probe, wallet := probe.wallet().wallet).header(wallet)
    session = chain(probe, settlements={"*": "X402_NOT_CONFIGURED"})
    reply = has_status(ask(session) if how == "asking" else pay(session, payment), 503)
    equal(error_text(reply), "X402_NOT_CONFIGURED", "error")


@check("X402-TOP-025")
def top_ups_are_limited_by_address(probe: Probe, _value: None) -> None:
    """Ten a minute, where limits are enforced; the eleventh is told so plainly."""
    session = probe.session(limits="real")
    session.freeze(session.now())
    most = probe.facts.edition.x402.top_up.requests_per_minute
    for number in range(1, most + 1):
        reply = ask(session)
        expect(reply.status != 429, f"top-up {number} of a minute is answered 429")
    reply = has_status(ask(session), 429)
    body = json_of(reply)
    members(body, ("error",))
    equal(body["error"], probe.facts.edition.x402.texts.rate_limited, "error")
    session.advance(61)
    reply = ask(session)
    expect(reply.status != 429, "a minute later top-ups are still answered 429")
