"""Mutants of the group ``payment``: prices, holds and balances."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import ROUND_UP, Decimal
from typing import Any

from msgspec.structs import replace

from mutants.kit import Answer, Mutant, answering, replaced, with_data, wrapping
from venice_mock.accounts.pricing import price_of
from venice_mock.contract import ModelSpec
from venice_mock.edit.endpoint import EditService
from venice_mock.edit.making import Order
from venice_mock.edit.opening import ImageFault, decode
from venice_mock.errors import ApiError, refuse
from venice_mock.state.memory import MemoryStore
from venice_mock.state.store import NoHold

_PRICE = "venice_mock.edit.planning.price_of"
_SERVICE = "venice_mock.edit.endpoint.EditService"
_STORE = "venice_mock.state.memory.MemoryStore"
_CENT = Decimal("0.01")

# --- prices -------------------------------------------------------------------------------------------------


def _by_tier_first(model: ModelSpec, tier: str, quality: str | None) -> Decimal:
    pricing = model.pricing
    assert pricing is not None
    return pricing.resolutions[tier] if tier in pricing.resolutions else price_of(model, tier, quality)


def _by_default_quality(model: ModelSpec, tier: str, quality: str | None) -> Decimal:
    """As if quality were a matter of the picture alone."""
    return price_of(model, tier, None if model.pricing and model.pricing.quality else quality)


def _lowest_quality(original: Any) -> Any:
    """What says nothing of quality is made and charged at the lowest."""

    def plan(contract: Any, request: Any, *args: Any, **more: Any) -> Any:
        limits = request.model.constraints
        if request.quality is None and limits is not None and limits.qualities:
            request = dataclasses.replace(request, quality=limits.qualities[0])
        return original(contract, request, *args, **more)

    return plan


def _without_tiers(model: ModelSpec, tier: str, quality: str | None) -> Decimal:
    pricing = model.pricing
    assert pricing is not None
    return price_of(model, tier, quality) if pricing.quality else pricing.inpaint


def _without_pictures(model: ModelSpec, tier: str, quality: str | None) -> Decimal:
    extra = model.pricing.input_images if model.pricing else None
    price = price_of(model, tier, quality)
    return price if extra is None or extra.included else price - extra.additional


def _whole_cents(model: ModelSpec, tier: str, quality: str | None) -> Decimal:
    return price_of(model, tier, quality).quantize(_CENT, ROUND_UP)


def _twice_without_price(model: ModelSpec, tier: str, quality: str | None) -> Decimal:
    """Somebody guessed: a tier without a price costs in proportion to its side."""
    pricing = model.pricing
    assert pricing is not None
    if pricing.quality or tier in pricing.resolutions or tier == "1K":
        return price_of(model, tier, quality)
    return price_of(model, tier, quality) * int(tier[0])


def _listed_without_low(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    said = answer.json()
    if not isinstance(said, dict) or not isinstance(said.get("data"), list):
        return answer
    for row in said["data"]:
        for prices in row["model_spec"].get("pricing", {}).get("quality", {}).values():
            prices.pop("low", None)
    return answer.with_body(said)


def _listed_cheaper(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    """The list is yesterday's."""
    said = answer.json()
    if not isinstance(said, dict) or not isinstance(said.get("data"), list):
        return answer
    for row in said["data"]:
        pricing = row["model_spec"].get("pricing", {})
        if "inpaint" in pricing and "resolutions" not in pricing:
            pricing["inpaint"]["usd"] = round(pricing["inpaint"]["usd"] - 0.005, 3)
    return answer.with_body(said)


# --- what is told of balances -------------------------------------------------------------------------------


def _remaining(change: Callable[[str], str | None]) -> Callable[..., Answer]:
    def altered(_scope: Any, _body: bytes, answer: Answer) -> Answer:
        said = answer.header("x-balance-remaining")
        return answer if said is None else answer.with_header("x-balance-remaining", change(said))

    return altered


def _told_to_keys(_scope: Any, _body: bytes, answer: Answer) -> Answer:
    balance = answer.header("x-venice-balance-usd")
    return answer.with_header("x-balance-remaining", balance) if answer.status == 200 and balance else answer


def _balance_before(original: Any) -> Any:
    """The header is made before the edit is paid for."""

    async def remaining(self: EditService, caller: Any, *more: Any) -> Any:
        found = await original(self, caller, *more)
        name = self.session.contract.edition.headers["balance_remaining"]
        return {name: f"{Decimal(found[name]) + _CENT:.6f}"} if name in found else found

    return remaining


def _always_told(edition: dict[str, Any]) -> None:
    row = next(row for row in edition["differences"] if row["id"] == "balance-header")
    row["observed"]["value"] = True


def _in_floats(original: Any) -> Any:
    """Balances are kept in binary fractions."""

    async def settle(self: MemoryStore, hold: Any, **more: Any) -> Any:
        entry = await original(self, hold, **more)
        found = self._accounts[hold.account]
        balance = float(found.balance + hold.amount) - float(hold.amount)
        self._accounts[hold.account] = replace(found, balance=Decimal(repr(balance)))
        return entry

    return settle


# --- charging what must not be charged ----------------------------------------------------------------------


def _charging(statuses: Callable[[int], bool]) -> Callable[[Any], Any]:
    """Refusals and failures of these statuses cost a cent."""

    def wrap(original: Any) -> Any:
        async def edit_for(self: EditService, caller: Any, *args: Any) -> Any:
            try:
                return await original(self, caller, *args)
            except ApiError as error:
                if statuses(error.status):
                    await _take(self.session.store, caller.account)
                raise

        return edit_for

    return wrap


async def _take(store: Any, account: str) -> None:
    held = await store.hold(account, _CENT)
    if not isinstance(held, NoHold):
        await store.settle(held, now=0.0, request_id="0", model_id="none")


def _never_released(_original: Any) -> Any:
    async def release(_self: MemoryStore, _hold: Any) -> None:
        return None

    return release


def _decoded_before(original: Any) -> Any:
    """Pictures are decoded as soon as they are there, before anybody pays."""

    def judge(contract: Any, request: Any, data: bytes, **more: Any) -> Order:
        order: Order = original(contract, request, data, **more)
        try:
            decode(order.data, order.probe, cover=order.plan.size)
        except ImageFault as fault:
            raise refuse(contract, "CORRUPTED_IMAGE") from fault
        return order

    return judge


# --- holds --------------------------------------------------------------------------------------------------


def _without_holds(original: Any) -> Any:
    """Only what was charged already counts, not what is in work."""

    async def hold(self: MemoryStore, account: str, amount: Decimal, **more: Any) -> Any:
        found = self._found(account)
        self._accounts[account] = replace(found, held=Decimal(0))
        held = await original(self, account, amount, **more)
        taken = Decimal(0) if isinstance(held, NoHold) else held.amount
        self._accounts[account] = replace(found, held=found.held + taken)
        return held

    return hold


def _without_floor(original: Any) -> Any:
    async def hold(self: MemoryStore, account: str, amount: Decimal, **more: Any) -> Any:
        return await original(self, account, amount, **{**more, "floor": Decimal(0)})

    return hold


def _floor_excluded(original: Any) -> Any:
    """Just the floor is not enough."""

    async def hold(self: MemoryStore, account: str, amount: Decimal, **more: Any) -> Any:
        floor = more.get("floor", Decimal(0))
        return await original(
            self, account, amount, **{**more, "floor": floor and floor + Decimal("0.000001")}
        )

    return hold


def _without_limit(original: Any) -> Any:
    async def hold(self: MemoryStore, account: str, amount: Decimal, **more: Any) -> Any:
        self._accounts[account] = replace(self._found(account), spend_limit=None)
        return await original(self, account, amount, **more)

    return hold


def _repeats_are_free(original: Any) -> Any:
    """Who asks for the same again within the run is not charged again."""
    seen: set[tuple[str, str, str, int]] = set()

    async def hold(self: EditService, caller: Any, order: Order, call: Any) -> Any:
        asked = (caller.account, order.request.prompt, order.request.model.id, id(self.session.store))
        idle = not (await self.session.store.account(caller.account)).held
        held = await original(self, caller, order, call)
        if asked in seen and idle:
            await self.session.store.release(held)
            return await self.session.store.hold(caller.account, Decimal(0))
        seen.add(asked)
        return held

    return hold


def _limit_in_diem(edition: dict[str, Any]) -> None:
    errors = edition["errors"]
    errors["API_KEY_USD_SPEND_LIMIT_EXCEEDED"]["text"] = errors["API_KEY_DIEM_SPEND_LIMIT_EXCEEDED"]["text"]


MUTANTS: tuple[Mutant, ...] = (
    answering("EDIT-PAY-013", "the remaining balance has two decimals", _remaining(lambda text: text[:-4])),
    answering("EDIT-PAY-013", "keys are told a remaining balance too", _told_to_keys),
    wrapping(
        "EDIT-PAY-013",
        "the balance told is not the one after the charge",
        f"{_SERVICE}._remaining_header",
        _balance_before,
    ),
    with_data(
        "EDIT-PAY-013", "the header comes in the observed behaviour too", _always_told, behavior="observed"
    ),
    wrapping(
        "EDIT-PAY-014",
        "an unknown model costs a cent",
        f"{_SERVICE}._edit_for",
        _charging(lambda s: s == 404),
    ),
    wrapping(
        "EDIT-PAY-014",
        "bad fields cost a cent",
        f"{_SERVICE}._edit_for",
        _charging(lambda s: s == 400),
        follows=("EDIT-FMT-010", "EDIT-PAY-029", "X402-TXN-003"),
    ),
    wrapping(
        "EDIT-PAY-014",
        "a policy violation costs a cent",
        f"{_SERVICE}._edit_for",
        _charging(lambda s: s == 422),
    ),
    replaced(
        "EDIT-PAY-015",
        "prices are rounded up to whole cents",
        _PRICE,
        _whole_cents,
        follows=(
            "EDIT-PAY-026",
            "EDIT-PAY-027",
        ),
    ),
    replaced(
        "EDIT-PAY-015", "every tier costs what 1K does", _PRICE, _without_tiers, follows=("EDIT-PAY-025",)
    ),
    replaced(
        "EDIT-PAY-015",
        "input pictures are never charged",
        _PRICE,
        _without_pictures,
        edition="2026-08-22",
        follows=(
            "BILL-003",
            "EDIT-ENH-002",
            "EDIT-PAY-017",
            "EDIT-PAY-019",
            "EDIT-PAY-025",
            "EDIT-PAY-027",
            "EDIT-PAY-028",
            "EDIT-PAY-030",
            "EDIT-PAY-031",
            "MOCK-KEY-001",
            "MOCK-KEY-003",
        ),
    ),
    answering(
        "EDIT-PAY-015",
        "the list shows other prices than are charged",
        _listed_cheaper,
        where="/models",
        follows=("MODELS-013",),
    ),
    replaced(
        "EDIT-PAY-016",
        "a dearer model serves by default",
        f"{_SERVICE}.default_model",
        property(lambda _service: "qwen-image-2-edit"),
        follows=("EDIT-MOD-001", "MOCK-SRV-003"),
    ),
    wrapping(
        "EDIT-PAY-017",
        "without quality the lowest is charged",
        "venice_mock.edit.judging.make_plan",
        _lowest_quality,
    ),
    answering(
        "EDIT-PAY-018",
        "the price of low is not listed",
        _listed_without_low,
        where="/models",
        follows=("EDIT-PAY-015",),
    ),
    replaced(
        "EDIT-PAY-019",
        "quality costs nothing unless a header asks",
        _PRICE,
        _by_default_quality,
        follows=(
            "EDIT-PAY-015",
            "EDIT-PAY-025",
        ),
    ),
    wrapping("EDIT-PAY-020", "a wallet needs no more than the price", f"{_STORE}.hold", _without_floor),
    wrapping("EDIT-PAY-020", "just ten cents are not enough", f"{_STORE}.hold", _floor_excluded),
    wrapping("EDIT-PAY-023", "what is in work does not count", f"{_STORE}.hold", _without_holds),
    replaced(
        "EDIT-PAY-025",
        "the price of the tier goes before that of the quality",
        _PRICE,
        _by_tier_first,
        follows=(
            "EDIT-PAY-015",
            "EDIT-PAY-019",
        ),
    ),
    replaced("EDIT-PAY-026", "a tier without a price costs more", _PRICE, _twice_without_price),
    wrapping(
        "EDIT-PAY-027",
        "balances are binary fractions",
        f"{_STORE}.settle",
        _in_floats,
        follows=(
            *("EDIT-PAY-023", "EDIT-PAY-031", "X402-TXN-003"),
            *("EDIT-QLT-002", "EDIT-RES-001", "MOCK-KEY-003"),
        ),
    ),
    wrapping(
        "EDIT-PAY-028",
        "spending limits are ignored",
        f"{_STORE}.hold",
        _without_limit,
        follows=("MOCK-KEY-005",),
    ),
    with_data(
        "EDIT-PAY-028",
        "a limit in dollars is told as one in DIEM",
        _limit_in_diem,
        follows=("EDIT-ERR-015", "MOCK-KEY-005"),
    ),
    wrapping(
        "EDIT-PAY-029",
        "what is held is never given back",
        f"{_STORE}.release",
        _never_released,
        follows=(
            "EDIT-HTTP-025",
            "EDIT-PAY-014",
            "EDIT-PAY-041",
        ),
    ),
    wrapping(
        "EDIT-PAY-029",
        "pictures are decoded before the price is held",
        "venice_mock.edit.endpoint.judge_image",
        _decoded_before,
    ),
    wrapping(
        "EDIT-PAY-031",
        "the same edit again is free",
        f"{_SERVICE}._hold",
        _repeats_are_free,
        follows=("EDIT-HTTP-025", "EDIT-PAY-027", "EDIT-QLT-002", "EDIT-RES-001", "X402-TXN-003"),
    ),
    wrapping("EDIT-PAY-041", "failures cost a cent", f"{_SERVICE}._edit_for", _charging(lambda s: s >= 500)),
)
