"""Checks of the group ``payment``: what an account admits, what is held while an edit is made, what is given back.

All of it is seen through the control plane of a mock.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from venice_contract.judging.bench import EDIT
from venice_contract.judging.callers import Caller, Key, WalletCaller
from venice_contract.judging.check import check
from venice_contract.judging.expect import (
    NotApplicable,
    at,
    equal,
    error_text,
    expect,
    has_status,
    json_of,
)
from venice_contract.judging.facts import Facts
from venice_contract.judging.probe import Probe
from venice_contract.pictures.recipe import Picture
from venice_contract.rules.charges import served, unpainted
from venice_contract.rules.transport import UNKNOWN_MODEL
from venice_contract.wire.message import Headers, Reply, Request, json_request

_UNREADABLE = Picture(256, 256, defect="broken-pixels")
_TOLD_TO_FAIL = "told to fail"


def account_of(probe: Probe, caller: Caller) -> dict[str, Any]:
    """Balance, holds and ledger of a caller."""
    if isinstance(caller, WalletCaller):
        account = probe.steering.account(caller.wallet.address, kind="wallet")
    else:
        assert isinstance(caller, Key)
        account = probe.steering.account(caller.token)
    kept = {name: Decimal(account[name]) for name in ("balance_usd", "held_usd", "spent_usd")}
    return {**kept, "ledger": probe.ledger_of(caller)}


def costs_nothing(before: dict[str, Any], after: dict[str, Any], what: str) -> None:
    """Nothing was charged or booked, and nothing is held."""
    equal(after["held_usd"], Decimal(0), f"what is still held after {what}")
    equal(after["balance_usd"], before["balance_usd"], f"the balance after {what}")
    equal(len(after["ledger"]), len(before["ledger"]), f"the number of bookings after {what}")
    equal(after["spent_usd"], before["spent_usd"], f"what counts as spent after {what}")


def _somebody(probe: Probe, who: str) -> Caller:
    """With ten dollars."""
    return probe.key(balance="10") if who == "key" else probe.funded_wallet("10")


# --- refusals and failures cost nothing ---------------------------------------------------------------------

_REFUSALS = (
    "an unknown key", "an unknown model", "a picture that is too small", "a picture that cannot be read", "no JSON",
    "another media type", "a payment header", "a prompt that is too long", "a policy violation", "a rate limit",
    "a bad sign-in",
)  # fmt: skip


@check("EDIT-PAY-014", witnesses=[[what, who] for who in ("key", "wallet") for what in _REFUSALS])
def a_refusal_costs_nothing(probe: Probe, value: tuple[str, str]) -> None:
    """Balance, holds and ledger before and after."""
    what, who = value
    caller = _somebody(probe, who)
    before = account_of(probe, caller)
    reply = _refused(probe, what, caller)
    if not 400 <= reply.status < 500:
        raise NotApplicable(f"{what} is answered {reply.status}, which other rules judge")
    costs_nothing(before, account_of(probe, caller), what)


def _refused(probe: Probe, what: str, caller: Caller) -> Reply:
    fields: dict[str, Any] = probe.good(model=_strict_model(probe.facts))
    headers: Headers = ()
    if what == "no JSON":
        return probe.send(json_request(b'{"prompt": "make'), caller=caller)
    if what == "another media type":
        request = Request("POST", EDIT, (("Content-Type", "text/plain"),), json_request(fields).body)
        return probe.send(request, caller=caller)
    if what == "a payment header":
        headers = ((probe.facts.edition.x402.payment_headers[0], "e30="),)
    elif what == "a rate limit":
        headers = (("X-Mock", "error=rate_limited"),)
    elif what == "a bad sign-in":
        headers = ((probe.facts.edition.x402.sign_in_headers[1], "e30="),)
    elif what == "a policy violation":
        fields["prompt"] = probe.facts.edition.words.policy[0]
        if not probe.facts.model(fields["model"]).blocks_policy:
            headers = (("X-Mock", "error=content_policy_violation"),)
    else:
        changes: dict[str, dict[str, Any]] = {
            "an unknown key": {"no_such_field": 1},
            "an unknown model": {"model": UNKNOWN_MODEL},
            "a picture that is too small": {"image": probe.image_text(Picture(8, 8))},
            "a picture that cannot be read": {"image": probe.image_text(_UNREADABLE)},
            "a prompt that is too long": {"prompt": "x" * (probe.facts.edition.limits.prompt_max + 1)},
        }
        fields |= changes[what]
    return probe.edit(fields, caller=caller, headers=headers)


def _strict_model(facts: Facts) -> str:
    """A model that refuses policy words, where there is one."""
    strict = [m.id for m in facts.models if m.blocks_policy]
    return strict[0] if strict else facts.cheapest().id


def _failures(facts: Facts) -> list[list[str]]:
    names = [name for name, spec in facts.edition.errors.items() if spec.status >= 500]
    return [[name, who] for who in ("key", "wallet") for name in names]


@check("EDIT-PAY-041", witnesses=_failures)
def a_failure_costs_nothing(probe: Probe, value: tuple[str, str]) -> None:
    """An edit that ends in a 5xx leaves the account as it was."""
    name, who = value
    caller = _somebody(probe, who)
    before = account_of(probe, caller)
    reply = probe.edit(caller=caller, headers=(("X-Mock", f"error={name.lower()}"),), label=_TOLD_TO_FAIL)
    if reply.status < 500:
        raise NotApplicable(f"an edit that is made to fail is answered {reply.status}")
    costs_nothing(before, account_of(probe, caller), f"a {reply.status}")


@check("EDIT-PAY-029", witnesses=("key", "wallet"))
def what_was_held_for_a_broken_picture_is_given_back(probe: Probe, who: str) -> None:
    """A good header and broken pixels: 400, and the account as it was."""
    caller = _somebody(probe, who)
    before = account_of(probe, caller)
    reply = probe.edit(probe.good(image=_UNREADABLE), caller=caller)
    if reply.status == 200:
        raise NotApplicable("the picture was read, which other rules judge")
    costs_nothing(before, account_of(probe, caller), "a picture that cannot be decoded")


@check("EDIT-PAY-029")
def the_price_is_held_before_decoding(probe: Probe, _value: None) -> None:
    """Who cannot pay is told so, and not that the picture cannot be decoded."""
    reply = probe.edit(probe.good(image=_UNREADABLE), caller=probe.poor_key())
    has_status(reply, 402)


# --- who is admitted ----------------------------------------------------------------------------------------


@check("EDIT-PAY-020", witnesses=(["0.099999", 402], ["0.05", 402], ["0.10", 200]), spends=1)
def a_wallet_needs_ten_cents(probe: Probe, value: tuple[str, int]) -> None:
    """However cheap the edit."""
    usd, status = value
    cheapest = probe.facts.price(probe.good())
    expect(cheapest <= Decimal("0.05"), f"no edit is cheap enough to show it: {cheapest}")
    has_status(probe.edit(caller=probe.funded_wallet(usd)), status)


def _limits(facts: Facts) -> list[str]:
    price = facts.price({"model": facts.cheapest().id})
    return ["mock_spend_limit", "0", str(price - Decimal("0.000001")), str(price * Decimal("1.5"))]


@check("EDIT-PAY-028", witnesses=_limits, spends=1)
def a_spending_limit_ends_the_credit(probe: Probe, limit: str) -> None:
    """402 in the table's words once the limit is too small for the next edit, and not before."""
    magic = limit.startswith("mock_")
    caller = Key(limit) if magic else probe.key(balance="10", spend_limit=limit)
    affordable = 0 if magic else int(Decimal(limit) // probe.facts.price(probe.good()))
    for _ in range(affordable):
        has_status(probe.edit(caller=caller), 200)
    reply = has_status(probe.edit(caller=caller), 402)
    wanted = probe.facts.edition.errors["API_KEY_USD_SPEND_LIMIT_EXCEEDED"].text
    equal(error_text(reply), wanted, "the error")


# --- at the same time ---------------------------------------------------------------------------------------


def _rush_model(facts: Facts) -> str:
    """The cheapest model that costs more than what a wallet must have anyway."""
    floor = facts.edition.x402.floor_usd
    return facts.cheapest([m for m in facts.models if facts.price({"model": m.id}) > floor]).id


def _rushes() -> st.SearchStrategy[list[Any]]:
    callers, counts = st.sampled_from(["key", "wallet"]), st.integers(2, 4)
    return st.tuples(callers, counts, st.integers(0, 4)).map(list)


def _rush_price(facts: Facts) -> Decimal:
    return facts.price({"model": _rush_model(facts)})


@check(
    "EDIT-PAY-023",
    witnesses=(["key", 12, 5], ["wallet", 5, 2], ["key", 3, 3]),
    strategy=lambda _facts: _rushes(),
    spends=lambda facts, value: value[2] * _rush_price(facts),
)
def edits_at_once_never_overdraw(probe: Probe, value: tuple[str, int, int]) -> None:
    """As many succeed as the credit covers, the others get 402, and what is left is exact."""
    _rush(probe, *value)


@check(
    "EDIT-PAY-023",
    witnesses=(["key", 50, 20],),
    spends=lambda facts, value: value[2] * _rush_price(facts),
    heavy=True,
)
def fifty_edits_at_once_never_overdraw(probe: Probe, value: tuple[str, int, int]) -> None:
    """The same with a crowd."""
    _rush(probe, *value)


def _rush(probe: Probe, who: str, count: int, covered: int) -> None:
    probe = unpainted(probe)
    price = _rush_price(probe.facts)
    credit = covered * price
    caller = probe.key(balance=str(credit)) if who == "key" else probe.funded_wallet(credit)
    request = json_request(probe.good(model=_rush_model(probe.facts)))
    replies = probe.send_all([(request, caller)] * count, price=price)
    statuses = sorted(reply.status for reply in replies)
    good = min(count, covered)
    equal(
        statuses,
        [200] * good + [402] * (count - good),
        f"the answers to {count} edits on credit for {covered}",
    )
    account = account_of(probe, caller)
    equal(account["balance_usd"], credit - good * price, "the balance after them")
    equal(account["held_usd"], Decimal(0), "what is still held after them")


# --- DIEM and refunds ---------------------------------------------------------------------------------------


@check("EDIT-PAY-024", spends=1)
def diem_and_refunds_are_recorded(probe: Probe, _value: None) -> None:
    """Whether a wallet shows DIEM, and whether an edit that failed leaves rows."""
    wallet = probe.funded_wallet("1")
    order = (("X-Mock", "error=inference_failed"),)
    probe.edit(caller=wallet, headers=order, label=_TOLD_TO_FAIL)
    served(probe, probe.edit(caller=wallet))
    reply = probe.get(f"/x402/balance/{wallet.wallet.address}", caller=wallet)
    if reply.status == 200:
        diem = json_of(reply).get("data", {}).get("diemBalanceUsd")
        probe.note(
            "a wallet's balance has no DIEM" if diem is None else f"a wallet's balance has DIEM: {diem}"
        )
    page = probe.get(f"/x402/transactions/{wallet.wallet.address}", caller=wallet)
    expect(page.status < 500, f"the transactions are answered {page.status}")
    if page.status == 200:
        data = json_of(page)
        rows = at(data, "data", "transactions") if "data" in data else at(data, "transactions")
        kinds = [row.get("type") for row in rows]
        probe.note(f"after an edit that failed and one that worked the types are {kinds}")
