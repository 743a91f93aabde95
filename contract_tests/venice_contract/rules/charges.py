"""Checks of the group ``payment``: what an edit costs, as its account tells.

Here live the prices; what is held, refused and given back is in ``holds``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    Broken,
    Masked,
    NotApplicable,
    equal,
    expect,
    has_status,
    json_of,
    list_at,
    number_at,
    object_at,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.wire.message import Reply
from venice_mock.contract import ModelSpec

_MICRO = Decimal("0.000001")


# --- what was charged, and what is listed -------------------------------------------------------------------


def served(probe: Probe, reply: Reply) -> Reply:
    """The answer of an edit that worked. Raises NotApplicable for a refusal, which other rules judge."""
    if reply.status != 200:
        probe.unmasked(reply)
        raise NotApplicable(f"answered {reply.status}: what an edit costs cannot be seen")
    return reply


def charged(probe: Probe, *edits: Mapping[str, Any]) -> Decimal:
    """USD that this case's key pays for these edits, by its balance before and after."""
    before = _balance(probe)
    for fields in edits:
        served(probe, probe.edit(fields))
    spent = before - _balance(probe)
    if not spent and not probe.steerable:
        raise Masked("the balance has not moved yet")
    return spent


def _balance(probe: Probe) -> Decimal:
    """USD of this case's key: from the control plane, or where there is none as the key itself reads it."""
    if probe.steerable:
        return probe.balance_of(probe.key())
    reply = probe.get("/billing/balance", caller=probe.key())
    if reply.status != 200:
        raise NotApplicable(f"the key's balance is answered {reply.status}")
    body = json_of(reply)
    if body.get("consumptionCurrency") != "USD":
        raise NotApplicable(f"the key pays in {body.get('consumptionCurrency')}")
    return Decimal(str(number_at(body, "balances", "usd")))


def listed_price(probe: Probe, fields: Mapping[str, Any]) -> Decimal:
    """USD of an edit by the server's own list: under quality, else under resolutions, else as inpaint."""
    rows = json_of(probe.status(probe.get("/models?type=inpaint"), 200))
    row = next((row for row in list_at(rows, "data") if row.get("id") == fields["model"]), None)
    if row is None:
        raise NotApplicable(f"the server lists no {fields['model']}")
    pricing = object_at(row, "model_spec", "pricing")
    tier = fields.get("resolution", probe.facts.edition.fields.default_resolution)
    quality = fields.get("quality", object_at(row, "model_spec", "constraints").get("defaultQuality"))
    found = pricing.get("quality", {}).get(tier, {}).get(quality)
    found = found or pricing.get("resolutions", {}).get(tier) or pricing.get("inpaint")
    price = Decimal(str(number_at(found, "usd")))
    extra = pricing.get("inputImages")
    if isinstance(extra, dict) and extra.get("included") == 0:
        price += Decimal(str(number_at(extra, "additional", "usd")))
    return price.quantize(_MICRO)


def _price(probe: Probe, fields: Mapping[str, Any]) -> Decimal:
    """What the edition says on a mock, and elsewhere, where prices move, what the server lists."""
    return probe.facts.price(fields) if probe.steerable else listed_price(probe, fields)


def takes_quality(facts: Facts) -> bool:
    """Whether every accepted behaviour takes ``quality`` on this endpoint."""
    return set(facts.ways("quality-on-edit").values()) == {"accepted"}


def settings(facts: Facts) -> list[dict[str, str]]:
    """Every model at every setting that has a price, the large tiers left out, the cheapest first."""
    found: list[dict[str, str]] = []
    for model in facts.models:
        limits = model.constraints
        tiers = limits.resolutions if limits and limits.resolutions else ("1K",)
        qualities = limits.qualities if limits and takes_quality(facts) else ()
        for tier in tiers:
            if tier in ("1K", "2K"):
                asked = {"model": model.id} | ({} if tier == "1K" else {"resolution": tier})
                found += [asked, *(asked | {"quality": quality} for quality in qualities)]
    return sorted(found, key=facts.price)


def _few_settings(facts: Facts) -> list[dict[str, str]]:
    """The cheapest plain one, with a tier and with a quality; with a price for the picture; an odd price."""
    every = settings(facts)
    plain = [s for s in every if len(s) == 1]
    tiers = [s for s in every if "resolution" in s and "quality" not in s]
    pictures = [s for s in plain if _pays_for_pictures(facts.model(s["model"]))]
    kinds = (plain, tiers, [s for s in every if "quality" in s], pictures)
    return [*(kind[0] for kind in kinds if kind), {"model": _odd_model(facts).id}]


def _pays_for_pictures(model: ModelSpec) -> bool:
    extra = model.pricing.input_images if model.pricing else None
    return extra is not None and extra.included == 0


# --- prices -------------------------------------------------------------------------------------------------


@check(
    "EDIT-PAY-015",
    witnesses=_few_settings,
    strategy=lambda facts: st.sampled_from(settings(facts)),
    spends=lambda facts, value: facts.price(value),
)
def an_edit_costs_what_is_listed(probe: Probe, setting: dict[str, str]) -> None:
    """To the millionth of a dollar."""
    spent = charged(probe, probe.good(**setting))
    equal(spent, listed_price(probe, setting), f"the charge for {_said(setting)}")


def _said(setting: Mapping[str, Any]) -> str:
    return " at ".join(str(setting[name]) for name in ("model", "resolution", "quality") if name in setting)


@check("EDIT-PAY-016", spends=lambda facts, _value: facts.price({}))
def the_default_model_costs_four_cents(probe: Probe, _value: None) -> None:
    """Whichever model it is."""
    equal(charged(probe, probe.good(model=...)), probe.facts.price({}), "the charge without a model")


def _with_default_quality(facts: Facts) -> list[str]:
    found = [m for m in facts.models if m.constraints and m.constraints.default_quality]
    return [m.id for m in sorted(found, key=lambda m: facts.price({"model": m.id}))]


@check(
    "EDIT-PAY-017", witnesses=_with_default_quality, spends=lambda facts, value: facts.price({"model": value})
)
def without_quality_the_default_quality_is_charged(probe: Probe, model: str) -> None:
    """An edit that says nothing of quality."""
    fields = {"model": model}
    equal(charged(probe, probe.good(**fields)), _price(probe, fields), f"the charge for {model}")


@check("EDIT-PAY-018", witnesses=_with_default_quality)
def prices_by_quality_are_listed(probe: Probe, model: str) -> None:
    """A price above zero for each quality in each tier."""
    rows = json_of(probe.status(probe.get("/models?type=inpaint"), 200))
    row = next((row for row in list_at(rows, "data") if row.get("id") == model), None)
    expect(row is not None, f"GET /models?type=inpaint lists no {model}")
    limits = probe.facts.model(model).constraints
    assert limits is not None
    for tier in limits.resolutions:
        for quality in limits.qualities:
            price = number_at(row, "model_spec", "pricing", "quality", tier, quality, "usd")
            expect(price > 0, f"{model} at {tier} and {quality} is listed at {price}")


def _dearer_by_default(facts: Facts) -> tuple[dict[str, str], dict[str, str]]:
    """The cheapest setting by quality, and what is left of it where ``quality`` is refused."""
    model = facts.model(_with_default_quality(facts)[0])
    assert model.constraints is not None
    asked = [{"model": model.id, "quality": quality} for quality in model.constraints.qualities]
    return min(asked, key=facts.price), {"model": model.id}


@check("EDIT-PAY-019", spends=lambda facts, _value: facts.price(_dearer_by_default(facts)[1]))
def the_price_by_quality_needs_no_header(probe: Probe, _value: None) -> None:
    """A request with nothing but credentials and a body is charged by its quality."""
    setting, without = _dearer_by_default(probe.facts)
    try:
        spent = charged(probe, probe.good(**setting))
    except NotApplicable:
        setting = without
        spent = charged(probe, probe.good(**setting))
    equal(spent, _price(probe, setting), f"the charge for {_said(setting)}")


# --- where a price is looked up -----------------------------------------------------------------------------


def _places(facts: Facts) -> list[dict[str, str]]:
    """For each place that a price is looked up at, the cheapest setting that another place prices otherwise."""
    by_quality, by_tier, plain = [], [], []
    for setting in settings(facts):
        pricing = facts.model(setting["model"]).pricing
        assert pricing is not None
        tier = setting.get("resolution", "1K")
        if "quality" in setting:
            if pricing.quality[tier][setting["quality"]] != pricing.resolutions.get(tier, pricing.inpaint):
                by_quality.append(setting)
        elif not pricing.quality and pricing.resolutions.get(tier, pricing.inpaint) != pricing.inpaint:
            by_tier.append(setting)
        elif not pricing.quality and not pricing.resolutions:
            plain.append(setting)
    return [kind[0] for kind in (by_quality, by_tier, plain) if kind]


@check("EDIT-PAY-025", witnesses=_places, spends=lambda facts, value: facts.price(value))
def a_price_is_looked_up_by_quality_then_by_tier(probe: Probe, setting: dict[str, str]) -> None:
    """Quality, then tier, then the model's one price."""
    equal(charged(probe, probe.good(**setting)), _price(probe, setting), f"the charge for {_said(setting)}")


def _largest_by_quality(facts: Facts) -> list[dict[str, str]]:
    found = []
    for model in facts.models:
        if model.pricing is not None and "4K" in model.pricing.quality:
            found.append({"model": model.id, "resolution": "4K"})
    return sorted(found, key=facts.price)[:1]


@check(
    "EDIT-PAY-025", witnesses=_largest_by_quality, spends=lambda facts, value: facts.price(value), heavy=True
)
def the_largest_tier_costs_what_its_quality_does(probe: Probe, setting: dict[str, str]) -> None:
    """Where the list has another price under resolutions."""
    equal(charged(probe, probe.good(**setting)), _price(probe, setting), f"the charge for {_said(setting)}")


def _tiers_without_price(facts: Facts) -> list[dict[str, str]]:
    found = []
    for model in facts.models:
        limits, pricing = model.constraints, model.pricing
        if limits is None or pricing is None or pricing.quality:
            continue
        found += [
            {"model": model.id, "resolution": tier}
            for tier in limits.resolutions
            if tier not in pricing.resolutions and tier != facts.edition.fields.default_resolution
        ]
    return sorted(found, key=facts.price)


@check("EDIT-PAY-026", witnesses=_tiers_without_price, spends=lambda facts, value: facts.price(value))
def a_tier_without_a_price_costs_the_models_price(probe: Probe, setting: dict[str, str]) -> None:
    """The list names the tier, and no price for it."""
    equal(charged(probe, probe.good(**setting)), _price(probe, setting), f"the charge for {_said(setting)}")


@check("EDIT-PAY-031", spends=2)
def a_repeated_edit_is_paid_again(probe: Probe, _value: None) -> None:
    """The same request twice, twice the price of once."""
    fields = probe.good()
    once = _price(probe, fields)
    equal(charged(probe, fields, fields), 2 * once, "the charge for the same edit twice")


# --- how amounts are written --------------------------------------------------------------------------------


def _odd_model(facts: Facts) -> ModelSpec:
    """The model whose plain price has the most decimals and so shows binary fractions first."""
    fit = [m for m in facts.models if facts.takes_default_tier(m)]
    return max(fit, key=lambda m: -int(facts.price({"model": m.id}).normalize().as_tuple().exponent))


@check(
    "EDIT-PAY-013",
    witnesses=("4.324", "50", "1.234567"),
    spends=lambda facts, _value: facts.price({"model": _odd_model(facts).id}),
)
def a_wallet_is_told_what_remains(probe: Probe, usd: str) -> None:
    """Its balance after the charge, with six decimals; or as observed no such header."""
    wallet = probe.funded_wallet(usd)
    reply = served(probe, probe.edit(probe.good(model=_odd_model(probe.facts).id), caller=wallet))
    told = reply.header(probe.facts.edition.headers["balance_remaining"])
    right = told == f"{probe.balance_of(wallet):.6f}"
    sees = f"the header says {told!r} for a balance of {probe.balance_of(wallet):f}"
    probe.agrees("balance-header", sees, documented=right, observed=told is None)


@check("EDIT-PAY-013", spends=1)
def a_key_is_not_told_so(probe: Probe, _value: None) -> None:
    """A key's 200 has no such header."""
    told = served(probe, probe.edit()).header(probe.facts.edition.headers["balance_remaining"])
    equal(told, None, "the header")


@check("EDIT-PAY-027", witnesses=("key", "wallet"), spends=lambda facts, _value: 12 * _odd_price(facts))
def money_is_exact(probe: Probe, who: str) -> None:
    """A dozen edits at an odd price, and after each no number has a binary fraction."""
    _edits_add_up(probe, who, 12)


@check("EDIT-PAY-027", spends=lambda facts, _value: 100 * _odd_price(facts), heavy=True)
def a_hundred_edits_cost_a_hundred_times_the_price(probe: Probe, _value: None) -> None:
    """To the last digit."""
    _edits_add_up(probe, "key", 100, looks=4)


def _odd_price(facts: Facts) -> Decimal:
    return facts.price({"model": _odd_model(facts).id})


def unpainted(probe: Probe) -> Probe:
    """A session whose pictures cost no time, for checks that make many and look at none."""
    return probe.session(engine="fast")


def _edits_add_up(probe: Probe, who: str, count: int, looks: int = 12) -> None:
    probe, opening, price = unpainted(probe), Decimal("1000.1"), _odd_price(probe.facts)
    wallet = probe.funded_wallet(opening) if who == "wallet" else None
    key = probe.key(balance=str(opening)) if wallet is None else None
    caller, fields = wallet or key, probe.good(model=_odd_model(probe.facts).id)
    assert caller is not None
    path = "/billing/balance" if wallet is None else f"/x402/balance/{wallet.wallet.address}"
    for number in range(1, count + 1):
        reply = served(probe, probe.edit(fields, caller=caller))
        if number % (count // looks):
            continue
        left = opening - number * price
        equal(probe.balance_of(caller), left, f"the balance after {number} edits")
        answer = probe.get(path, caller=caller)
        if answer.status == 200:
            _is_written_short(answer, left)
        told = reply.header(probe.facts.edition.headers["balance_usd"])
        expect(told is None or len(told.partition(".")[2]) <= 6, f"a header says {told!r}")
    sums = sum((Decimal(row["amount_usd"]) for row in probe.ledger_of(caller)[:count]), Decimal(0))
    equal(sums, -count * price, "the sum of the ledger")


def _is_written_short(answer: Reply, balance: Decimal) -> None:
    """No number of the body has more than six decimals, and one of them is the balance."""
    numbers: list[str] = []

    def keep(text: str) -> Decimal:
        numbers.append(text)
        return Decimal(text)

    try:
        json.loads(answer.body, parse_float=keep, parse_int=keep)
    except ValueError:
        raise Broken("a balance that is no JSON") from None
    for text in numbers:
        expect(len(text.partition(".")[2]) <= 6, f"a balance of {balance:f} is written as {text}")
    has_status(answer, 200)
    expect(
        balance in [Decimal(text) for text in numbers], f"{numbers} do not have the balance of {balance:f}"
    )
