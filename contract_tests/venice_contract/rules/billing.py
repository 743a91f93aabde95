"""Checks of the group ``billing``: what GET /billing/balance tells a key, and whom it tells nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from venice_contract.judging.callers import Key, WalletCaller
from venice_contract.judging.check import check
from venice_contract.judging.expect import at, equal, expect, json_of, members, number_at
from venice_contract.judging.probe import Probe
from venice_contract.wire.message import Headers

BALANCE = "/billing/balance"
_CURRENCIES = (None, "USD", "VCU", "DIEM", "BUNDLED_CREDITS")


def billed_balance(probe: Probe, key: Key) -> Any:
    """What a key is told of its balance, decoded."""
    return json_of(probe.status(probe.get(BALANCE, caller=key), 200))


def usd_of(probe: Probe, key: Key) -> Decimal:
    """The dollars that a key is told, exact as they were written."""
    return Decimal(str(number_at(billed_balance(probe, key), "balances", "usd")))


@check("BILL-001", witnesses=("without credit", "with credit"))
def a_key_reads_its_balance(probe: Probe, kind: str) -> None:
    """A closed object with exactly the documented members."""
    key = probe.poor_key() if kind == "without credit" else probe.key()
    body = billed_balance(probe, key)
    members(body, ("canConsume", "consumptionCurrency", "balances", "diemEpochAllocation"))
    expect(isinstance(body["canConsume"], bool), f"canConsume is {body['canConsume']!r}")
    expect(
        body["consumptionCurrency"] in _CURRENCIES, f"consumptionCurrency is {body['consumptionCurrency']!r}"
    )
    number_at(body, "diemEpochAllocation")
    members(body["balances"], ("diem", "usd"), what="balances")
    for name in ("diem", "usd"):
        if body["balances"][name] is not None:
            number_at(body, "balances", name)


@check("BILL-001", witnesses=("4.23", "0.000001", "1000"))
def a_key_reads_what_its_account_holds(probe: Probe, usd: str) -> None:
    """To the micro-dollar, and that it can be consumed."""
    probe.steering  # noqa: B018 - elsewhere no key has a balance that is known
    key = probe.key(balance=usd)
    equal(usd_of(probe, key), Decimal(usd), "balances.usd")
    equal(at(billed_balance(probe, key), "canConsume"), True, f"canConsume of a key with {usd} USD")


@check("BILL-002")
def a_wrong_key_reads_no_balance(probe: Probe, _value: None) -> None:
    """401."""
    probe.refused(probe.get(BALANCE, caller=probe.bad_key()), 401)


@check(
    "BILL-003",
    witnesses=lambda facts: [facts.cheapest().id],
    spends=lambda facts, value: facts.price({"model": value}),
)
def an_edit_lowers_the_balance_by_its_price(probe: Probe, model: str) -> None:
    """What the key reads before and after differs by exactly what the edition's catalogue asks."""
    before = usd_of(probe, probe.key())
    probe.succeeds(probe.edit(probe.good(model=model)))
    after = usd_of(probe, probe.key())
    equal(before - after, probe.facts.price({"model": model}), "the difference of balances.usd")


def _signed_in(probe: Probe, who: WalletCaller) -> Headers:
    return who.headers(BALANCE, now=probe.now(), domain=probe.domain, uri=probe.base_url + BALANCE)


@check("BILL-004", witnesses=("evm", "solana"))
def a_wallet_is_no_caller_of_a_route_for_keys(probe: Probe, kind: str) -> None:
    """A good sign-in without a key is answered as no credentials are."""
    bare = probe.get(BALANCE)
    reply = probe.status(probe.get(BALANCE, caller=probe.wallet(kind)), 401, 402)
    equal(reply.status, bare.status, "the status of a sign-in without a key")


@check("BILL-004", witnesses=("a good sign-in", "a bad sign-in"))
def a_key_is_served_whatever_else_signs_in(probe: Probe, kind: str) -> None:
    """Beside a key a sign-in header is ignored, a good one as a bad one."""
    who = probe.wallet()
    said = _signed_in(probe, who) if kind == "a good sign-in" else ((who.header, "no sign-in"),)
    probe.status(probe.get(BALANCE, caller=probe.poor_key(), headers=said), 200)


@check("BILL-005")
def a_reader_without_credentials_is_recorded(probe: Probe, _value: None) -> None:
    """401 or 402."""
    reply = probe.get(BALANCE)
    expect(reply.status in (401, 402), f"GET {BALANCE} without credentials is answered {reply.status}")
    probe.note(f"GET {BALANCE} without credentials is answered {reply.status}")


@check("BILL-006", witnesses=(None, "mock_insufficient_balance"))
def an_empty_key_cannot_consume(probe: Probe, magic: str | None) -> None:
    """canConsume is false for a key without credit, the mock's own one too."""
    if magic is not None:
        probe.steering  # noqa: B018 - no key of that name is known elsewhere
    key = probe.poor_key() if magic is None else Key(magic, funded=False)
    equal(at(billed_balance(probe, key), "canConsume"), False, "canConsume of a key without credit")


@check("BILL-006")
def a_key_whose_credit_is_gone_cannot_consume(probe: Probe, _value: None) -> None:
    """canConsume is false once the balance is 0, although there was credit when the key first read it."""
    probe.steering  # noqa: B018 - elsewhere no key's balance can be set
    key = Key(probe.key(balance="1").token, funded=False)
    billed_balance(probe, key)
    probe.steering.set_account(key.token, {"balance_usd": "0"})
    equal(at(billed_balance(probe, key), "canConsume"), False, "canConsume of a key without credit")
