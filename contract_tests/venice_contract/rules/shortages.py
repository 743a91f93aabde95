"""Checks of the group ``payment``: the 402s of keys and wallets without credit, and payments that do not belong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from venice_contract.judging.callers import Caller, Key
from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    Broken,
    NotApplicable,
    at,
    equal,
    error_text,
    expect,
    has_status,
    json_of,
    list_at,
    members,
    number_at,
    object_at,
    text_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import NOBODY, Probe
from venice_contract.rules.discovery import challenge_of, no_credit
from venice_contract.wallets import base64_json, challenge_sign_in
from venice_contract.wire.message import Headers
from venice_mock.contract import ModelSpec

_EMPTY_KEY = "mock_insufficient_balance"
_ALMOST = Decimal("0.000001")


def _short_wallet(probe: Probe) -> Any:
    """The body that a fresh wallet gets."""
    return json_of(no_credit(probe, probe.wallet()))


# --- a key --------------------------------------------------------------------------------------------------


@check("EDIT-PAY-001", witnesses=("json", "form"))
def a_key_without_credit_gets_402(probe: Probe, encoding: str) -> None:
    """A text under ``error``; a code need not come with it, but no other may."""
    reply = probe.refused(probe.edit(caller=probe.poor_key(), form=encoding == "form"), 402)
    body = json_of(reply)
    text_at(body, "error")
    if "code" in body:
        equal(body["code"], "INSUFFICIENT_BALANCE", "code")


def _dear(facts: Facts, above: Decimal) -> ModelSpec:
    """The cheapest model whose plain edit costs more than that."""
    return facts.cheapest([m for m in facts.models if facts.price({"model": m.id}) > above])


@check("EDIT-PAY-030", witnesses=("mock_balance_0.05", "just below"))
def credit_below_the_price_is_not_enough(probe: Probe, credit: str) -> None:
    """402 for a key that could pay a part of it, up to a millionth of a dollar less than all."""
    model = _dear(probe.facts, Decimal("0.05")).id
    if credit == "just below":
        caller = probe.key(balance=str(probe.facts.price({"model": model}) - _ALMOST))
    elif probe.steerable:
        caller = Key(credit)
    else:
        raise NotApplicable("only a mock knows this key")
    probe.refused(probe.edit(probe.good(model=model), caller=caller), 402)


@check("EDIT-PAY-032", witnesses=("fresh", _EMPTY_KEY))
def a_key_without_credit_is_told_where_to_buy_it(probe: Probe, kind: str) -> None:
    """The table's sentence, and nothing else but perhaps a code."""
    caller = probe.poor_key() if kind == "fresh" else Key(kind, funded=False)
    body = json_of(no_credit(probe, caller))
    members(body, ("error",), ("code",))
    equal(body["error"], probe.facts.edition.errors["INSUFFICIENT_BALANCE"].text, "error")


@check("EDIT-PAY-038")
def whether_a_keys_402_has_requirements_is_recorded(probe: Probe, _value: None) -> None:
    """The header PAYMENT-REQUIRED is not usual there."""
    reply = no_credit(probe, probe.poor_key())
    has = reply.header(probe.facts.edition.headers["payment_required"]) is not None
    probe.note(f"the 402 of a key {'has' if has else 'has no'} PAYMENT-REQUIRED header")


# --- a wallet -----------------------------------------------------------------------------------------------


@check("EDIT-PAY-002", witnesses=("evm", "solana"))
def a_wallet_without_credit_is_asked_to_pay(probe: Probe, kind: str) -> None:
    """402 in the words of x402."""
    reply = probe.refused(probe.edit(caller=probe.wallet(kind)), 402)
    body, texts = json_of(reply), probe.facts.edition.x402.texts
    equal(at(body, "error"), texts.payment_required, "error")
    equal(at(body, "code"), texts.payment_required_code, "code")
    equal(at(body, "reason"), texts.insufficient_reason, "reason")


@check("EDIT-PAY-003")
def a_wallet_is_told_how_to_top_up(probe: Probe, _value: None) -> None:
    """Three steps, to whom, in what and where, and from how much."""
    told = object_at(_short_wallet(probe), "topUpInstructions")
    for name in ("step1", "step2", "step3", "receiverWallet", "tokenAddress", "network"):
        text_at(told, name)
    wanted = probe.facts.edition.x402.payments.networks[0].decimals
    equal(at(told, "tokenDecimals"), wanted, "topUpInstructions.tokenDecimals")
    expect(_amount(told, "minimumAmountUsd") > 0, "topUpInstructions.minimumAmountUsd is not above 0")


@check("EDIT-PAY-004")
def a_wallet_is_told_what_to_pay_with(probe: Probe, _value: None) -> None:
    """USDC, on Base and Solana; ten dollars are suggested and five the least."""
    body, x402 = _short_wallet(probe), probe.facts.edition.x402
    for name, wanted in (("supportedTokens", x402.texts.tokens), ("supportedChains", x402.texts.chains)):
        missing = sorted(set(wanted) - set(map(str, list_at(body, name))))
        expect(not missing, f"{name} lacks {', '.join(missing)}")
    for name, units in (
        ("suggestedTopUpUsd", x402.suggested_amount),
        ("minimumTopUpUsd", x402.minimum_amount),
    ):
        equal(_amount(body, name), Decimal(units).scaleb(-6), name)


def _amount(value: Any, name: str) -> Decimal:
    """An amount of dollars, whether a number or, which another rule judges, a text."""
    found = at(value, name)
    try:
        return Decimal(str(found))
    except ArithmeticError:
        raise Broken(f"{name} is no amount: {found!r}") from None


@check("EDIT-PAY-039")
def amounts_are_json_numbers(probe: Probe, _value: None) -> None:
    """Clients compute with them as they are."""
    body = _short_wallet(probe)
    for name in ("currentBalanceUsd", "minimumBalanceUsd", "suggestedTopUpUsd"):
        number_at(body, name)
    number_at(body, "topUpInstructions", "minimumAmountUsd")


@check("EDIT-PAY-021", witnesses=("0", "0.05"))
def a_wallet_is_told_its_balance(probe: Probe, usd: str) -> None:
    """The number that it reads at the balance endpoint."""
    if usd != "0" and not probe.steerable:
        raise NotApplicable("no wallet with so little credit")
    caller = probe.wallet() if usd == "0" else probe.funded_wallet(usd)
    told = _amount(json_of(no_credit(probe, caller)), "currentBalanceUsd")
    reply = probe.get(f"/x402/balance/{caller.wallet.address}", caller=caller)
    if reply.status != 200:
        probe.unmasked(reply)
        raise NotApplicable(f"the balance is answered {reply.status}")
    equal(told, _amount(object_at(json_of(reply), "data"), "balanceUsd"), "currentBalanceUsd")


# --- its challenge ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Presents:
    """Sends a sign-in header that is ready."""

    header: str
    value: str
    funded: bool = False

    def headers(self, path: str, *, now: float, domain: str, uri: str) -> Headers:  # noqa: ARG002 - the protocol's
        return ((self.header, self.value),)


@check("EDIT-PAY-005")
def a_wallets_challenge_is_whole(probe: Probe, _value: None) -> None:
    """Everything that is to be signed, for a time to come, and each way to sign."""
    challenge = object_at(_short_wallet(probe), "siwxChallenge")
    info = object_at(challenge, "info")
    for name in ("domain", "uri", "version", "nonce", "statement"):
        text_at(info, name)
    issued, expires = (_moment(text_at(info, name), name) for name in ("issuedAt", "expirationTime"))
    expect(issued < expires, f"issuedAt {issued} is not before expirationTime {expires}")
    types = {str(entry.get("type")) for entry in list_at(challenge, "supportedChains")}
    missing = {"eip191", "eip1271", "ed25519"} - types
    expect(not missing, f"supportedChains has no {', '.join(sorted(missing))}")


def _moment(text: str, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Broken(f"{name} is no date and time: {text!r}") from None
    expect(found.tzinfo is not None, f"{name} has no time zone: {text!r}")
    return found


@check("EDIT-PAY-005", witnesses=("evm", "solana"))
def a_challenge_that_is_signed_signs_in(probe: Probe, kind: str) -> None:
    """The wallet that does as it is told is asked to pay, and not refused."""
    wallet = probe.wallet(kind)
    challenge = challenge_of(json_of(no_credit(probe, wallet)))
    try:
        signed = challenge_sign_in(challenge, wallet.wallet, probe.now())
    except ValueError as error:
        raise Broken(f"the challenge cannot be answered: {error}") from None
    caller: Caller = _Presents(probe.facts.edition.x402.sign_in_headers[0], signed.header(wallet.wallet))
    reply = probe.edit(caller=caller)
    expect(reply.status != 401, f"the signed challenge is refused: {error_text(reply)}")


@check("EDIT-PAY-006", witnesses=("wallet", "stranger", "both"))
def no_nonce_is_given_out_twice(probe: Probe, who: str) -> None:
    """Two answers have two nonces."""
    first: Caller = probe.wallet() if who != "stranger" else NOBODY
    second: Caller = NOBODY if who != "wallet" else first
    nonces = [_nonce(challenge_of(json_of(no_credit(probe, caller)))) for caller in (first, second)]
    expect(nonces[0] != nonces[1], f"two challenges have the nonce {nonces[0]!r}")


def _nonce(challenge: Mapping[str, Any]) -> str:
    if not challenge:
        raise NotApplicable("the 402 holds no challenge")
    return text_at(challenge, "info", "nonce")


# --- a balance below the price ------------------------------------------------------------------------------


def _price_of_dear(facts: Facts) -> tuple[str, Decimal]:
    """A model whose price is well above what every wallet needs."""
    model = _dear(facts, facts.edition.x402.floor_usd + Decimal("0.01")).id
    return model, facts.price({"model": model})


@check(
    "EDIT-PAY-034",
    witnesses=("just below", "a cent below", "at the price"),
    spends=lambda facts, _value: _price_of_dear(facts)[1],
)
def a_wallet_pays_the_whole_price_or_all_it_has(probe: Probe, credit: str) -> None:
    """Below the price: 402 with what is needed, nothing charged; or as observed served, down to zero."""
    model, price = _price_of_dear(probe.facts)
    missing = {"just below": _ALMOST, "a cent below": Decimal("0.01"), "at the price": Decimal(0)}[credit]
    wallet = probe.funded_wallet(price - missing)
    reply = probe.edit(probe.good(model=model), caller=wallet)
    left = probe.balance_of(wallet)
    if not missing:
        has_status(reply, 200)
        equal(left, Decimal(0), "the balance after an edit for all of it")
        return
    served = reply.status == 200 and left == 0
    refused = reply.status == 402 and left == price - missing
    if refused:
        refused = _amount(json_of(reply), "minimumBalanceUsd") == price
    sees = f"a wallet {missing} below the price is answered {reply.status} and has {left} left"
    probe.agrees("wallet-admission", sees, documented=refused, observed=served)


# --- payments that do not belong ----------------------------------------------------------------------------


@check(
    "EDIT-PAY-033",
    witnesses=lambda facts: [
        [who, name] for who in ("wallet", "key") for name in facts.edition.x402.payment_headers
    ],
)
def an_edit_is_not_paid_for_with_a_payment(probe: Probe, value: tuple[str, str]) -> None:
    """400 and the code that says so, whoever is asking, under each name of the header."""
    who, header = value
    if who == "key" and not probe.steerable:
        raise NotApplicable("a wallet shows the same, and no key is needed")
    caller = probe.wallet() if who == "wallet" else probe.poor_key()
    payment = base64_json({"x402Version": 2, "payload": {}})
    reply = probe.refused(probe.edit(caller=caller, headers=((header, payment),)), 400)
    equal(json_of(reply).get("code"), "PAYMENT_HEADER_NOT_ACCEPTED", "code")
