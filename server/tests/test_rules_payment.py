"""Payment by key: what an edit costs, when money is held, taken and given back, and who is refused for want of it."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client
from conftest import MakeClient
from rulekit import account_of, balance_of, good, good_body, ledger_of, png, server_of, text_of
from venice_mock.accounts.keys import account_id
from venice_mock.edit import endpoint, making
from venice_mock.state.store import Account

KEY = "a-test-key"
NO_MONEY = "Insufficient USD or Diem balance to complete request. Visit https://venice.ai/settings/api to add credits."
SPENT = (
    "API key USD spend limit exceeded. Your account may still have USD balance, but this API key has reached "
    "its configured USD spending limit."
)


@pytest.fixture
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits whose pixels are of no interest: everything but the picture is as ever."""
    monkeypatch.setattr(endpoint, "make_picture", lambda *_: b"a picture")


def listed_prices(client: Client) -> list[tuple[dict[str, str], Decimal]]:
    """Every way to ask for an edit, and the price that the listing gives for it."""
    rows = json.loads(client.get("/api/v1/models").body, parse_float=Decimal, parse_int=Decimal)["data"]
    asked: list[tuple[dict[str, str], Decimal]] = []
    for row in rows:
        model, pricing = row["id"], row["model_spec"]["pricing"]
        constraints = row["model_spec"]["constraints"]
        for tier in constraints.get("resolutions", ["1K"]):
            chosen = {"model": model, "resolution": tier}
            if "quality" in pricing:
                prices = pricing["quality"][tier]
                asked += [({**chosen, "quality": name}, usd["usd"]) for name, usd in prices.items()]
                asked.append((chosen, prices[constraints["defaultQuality"]]["usd"]))
            else:
                tiers = pricing.get("resolutions", {})
                asked.append((chosen, tiers.get(tier, pricing["inpaint"])["usd"]))
    return asked


def charge_of(client: Client, **fields: Any) -> Decimal:
    """What the balance falls by."""
    client.edit(**good(prompt=""))
    before = balance_of(client, KEY)
    assert client.edit(**good(**fields)).status == 200
    return before - balance_of(client, KEY)


@pytest.mark.usefixtures("unpainted")
@pytest.mark.rules("EDIT-PAY-015", "BILL-003")
def test_every_model_tier_and_quality_costs_what_the_listing_says(client: Client) -> None:
    asked = listed_prices(client)
    assert len(asked) > 30
    spent = Decimal(0)
    for fields, price in asked:
        assert charge_of(client, **fields) == price, fields
        spent += price
    assert -sum(row.amount for row in ledger_of(client, KEY)) == spent


@pytest.mark.usefixtures("unpainted")
@pytest.mark.rules("EDIT-PAY-016", "EDIT-PAY-017", "EDIT-PAY-019", "EDIT-PAY-025", "EDIT-PAY-026")
@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({}, "0.04"),
        ({"model": "gpt-image-2-edit"}, "0.36"),
        ({"model": "gpt-image-2-edit", "quality": "low"}, "0.03"),
        ({"model": "gpt-image-2-edit", "quality": "medium", "resolution": "2K"}, "0.15"),
        ({"model": "gpt-image-2-edit", "resolution": "4K"}, "0.86"),  # by quality; 0.85 by resolution
        ({"model": "wan-2-7-pro-edit", "resolution": "2K"}, "0.094"),
        ({"model": "wan-2-7-pro-edit", "resolution": "1K"}, "0.094"),
        ({"model": "nano-banana-2-edit", "resolution": "4K"}, "0.19"),
        ({"model": "flux-2-max-edit", "quality": "low"}, "0.19"),
    ],
)
def test_an_edit_costs_its_price_of_june(client: Client, fields: dict[str, str], price: str) -> None:
    assert charge_of(client, **fields) == Decimal(price)
    (row,) = ledger_of(client, KEY)
    assert (row.amount, row.balance_after, row.type) == (-Decimal(price), 100 - Decimal(price), "CHARGE")
    assert row.model_id == fields.get("model", "qwen-edit")


@pytest.mark.usefixtures("unpainted")
@pytest.mark.rules("EDIT-PAY-016")
@pytest.mark.parametrize(
    ("behavior", "model"), [("documented", "qwen-edit"), ("observed", "firered-image-edit")]
)
def test_an_edit_without_a_model_costs_4_cents_whichever_serves_it(
    make_client: MakeClient, behavior: str, model: str
) -> None:
    client = make_client(behavior=behavior)
    assert client.edit(**good()).headers["x-venice-model-id"] == model
    assert charge_of(client) == Decimal("0.04")


@pytest.mark.rules("EDIT-PAY-018")
def test_the_listing_prices_three_qualities_at_three_tiers(client: Client) -> None:
    rows = client.get("/api/v1/models").json["data"]
    (row,) = [row for row in rows if row["id"] == "gpt-image-2-edit"]
    quality = row["model_spec"]["pricing"]["quality"]
    assert {tier: {name: usd["usd"] for name, usd in prices.items()} for tier, prices in quality.items()} == {
        "1K": {"low": 0.03, "medium": 0.1, "high": 0.36},
        "2K": {"low": 0.04, "medium": 0.15, "high": 0.53},
        "4K": {"low": 0.06, "medium": 0.22, "high": 0.86},
    }


# --- want of money -------------------------------------------------------------------------------------------


@pytest.mark.rules("EDIT-PAY-001", "EDIT-PAY-032", "EDIT-PAY-038", "EDIT-PAY-011", "MOCK-KEY-004")
def test_a_key_without_credit_is_told_where_to_buy_some_once_its_request_is_valid(client: Client) -> None:
    reply = client.edit(**good(), key="mock_insufficient_balance")
    assert reply.status == 402
    assert reply.json == {"error": NO_MONEY}
    assert "payment-required" not in reply.headers
    assert reply.headers["x-mock-cause"] == "key:mock_insufficient_balance"
    invalid = client.edit(**good(prompt=""), key="mock_insufficient_balance")
    assert (invalid.status, invalid.json["error"]) == (400, "Invalid request parameters")


@pytest.mark.rules("EDIT-PAY-030", "MOCK-KEY-003")
def test_the_whole_price_must_be_covered(make_client: MakeClient) -> None:
    client, key = make_client(engine="fast"), "mock_balance_0.05"
    dear = client.edit(**good(model="grok-imagine-quality-edit"), key=key)
    assert (dear.status, dear.json) == (402, {"error": NO_MONEY})
    assert client.edit(**good(), key=key).status == 200
    again = client.edit(**good(), key=key)
    assert (again.status, again.json) == (402, {"error": NO_MONEY})
    assert balance_of(client, key) == Decimal("0.01")


@pytest.mark.rules("EDIT-PAY-030")
def test_the_last_cent_may_be_spent(make_client: MakeClient) -> None:
    client, key = make_client(engine="fast"), "mock_balance_0.04"
    assert client.edit(**good(), key=key).status == 200
    assert balance_of(client, key) == 0


@pytest.mark.rules("EDIT-PAY-028", "MOCK-KEY-005")
def test_a_key_at_its_spending_limit_is_refused_although_the_account_has_credit(
    client: Client, make_client: MakeClient, tmp_path: Path
) -> None:
    reply = client.edit(**good(), key="mock_spend_limit")
    assert (reply.status, reply.json) == (402, {"error": SPENT})
    assert balance_of(client, "mock_spend_limit") == 100
    assert client.edit(**good(prompt=""), key="mock_spend_limit").status == 400
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"team": {"balance_usd": "5", "spend_limit_usd": "0.10"}}), "utf-8")
    limited = make_client(keys=file, engine="fast")
    statuses = [limited.edit(**good(), key="team").status for _ in range(3)]
    assert statuses == [200, 200, 402]  # 0.12 would pass 0.10
    assert limited.edit(**good(), key="team").json == {"error": SPENT}
    assert balance_of(limited, "team") == Decimal("4.92")


# --- exactness, concurrency, holds ---------------------------------------------------------------------------


@pytest.mark.rules("EDIT-PAY-023")
@pytest.mark.parametrize(("cents", "edits", "paid"), [(13, 50, 3), (0, 10, 0), (40, 40, 10), (41, 11, 10)])
def test_concurrent_edits_never_overdraw_an_account(
    make_client: MakeClient, cents: int, edits: int, paid: int
) -> None:
    client, credit = make_client(engine="fast"), Decimal(cents) / 100
    key = f"mock_balance_{credit}"

    async def all_at_once() -> list[int]:
        replies = await asyncio.gather(*(client.sending(good_body(), key=key) for _ in range(edits)))
        for reply in replies:
            assert reply.status == 200 or reply.json == {"error": NO_MONEY}
        return [reply.status for reply in replies]

    statuses = client.runner.run(all_at_once())
    assert (statuses.count(200), statuses.count(402)) == (paid, edits - paid)
    left = credit - paid * Decimal("0.04")
    rows = ledger_of(client, key)
    assert [row.balance_after for row in reversed(rows)] == [
        credit - number * Decimal("0.04") for number in range(1, paid + 1)
    ]
    assert (balance_of(client, key), account_of(client, key).held) == (left, Decimal(0))


@pytest.mark.usefixtures("unpainted")
@pytest.mark.rules("EDIT-PAY-027", "EDIT-PAY-031")
def test_a_thousand_edits_cost_exactly_a_thousand_times_the_price(client: Client) -> None:
    body = good_body(model="wan-2-7-pro-edit")  # 0.094: no binary fraction
    for number in range(1, 1001):
        reply = client.send(body)
        assert Decimal(reply.headers["x-venice-balance-usd"]) == 100 - number * Decimal("0.094")
    assert balance_of(client, KEY) == 6
    rows = ledger_of(client, KEY)
    assert len(rows) == len({row.id for row in rows}) == len({row.request_id for row in rows}) == 1000
    assert sum(row.amount for row in rows) == -94


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12))
@pytest.mark.rules("EDIT-PAY-027")
def test_money_shows_no_binary_fraction_whatever_is_bought(choices: list[int]) -> None:
    from venice_mock.app import create_app
    from venice_mock.settings import Settings

    client = Client(create_app(Settings()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint, "make_picture", lambda *_: b"a picture")
        asked = listed_prices(client)
        spent = Decimal(0)
        for choice in choices:
            fields, price = asked[choice % len(asked)]
            reply = client.edit(**good(**fields))
            spent += price
            assert reply.headers["x-venice-balance-usd"] == f"{(100 - spent).normalize():f}"
        client.edit(**good(prompt=""))
        assert balance_of(client, KEY) == 100 - spent
    client.close()


@pytest.mark.rules("EDIT-PAY-031")
def test_a_request_that_is_repeated_is_paid_again(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    first, second = client.send(good_body()), client.send(good_body())
    assert first.body == second.body
    assert [row.amount for row in ledger_of(client, KEY)] == [Decimal("-0.04")] * 2


@pytest.mark.rules("EDIT-PAY-029")
def test_the_price_is_held_before_decoding_and_released_when_decoding_fails(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, key = make_client(engine="fast"), "mock_balance_0.04"
    paint, seen = making.make_picture, list[Account]()

    def watched(*args: Any) -> bytes:
        store = server_of(client).session.store
        asked = asyncio.run_coroutine_threadsafe(store.account(account_id(key)), client.runner.get_loop())
        seen.append(asked.result(30))
        return paint(*args)

    monkeypatch.setattr(endpoint, "make_picture", watched)
    for _ in range(3):
        reply = client.edit(**good(image=text_of(png(broken=True))), key=key)
        assert (reply.status, reply.json) == (400, {"error": "The image file is corrupted or unreadable"})
        assert reply.headers["x-venice-balance-usd"] == "0.04"
    assert [(account.held, account.available) for account in seen] == [(Decimal("0.04"), Decimal(0))] * 3
    account = account_of(client, key)
    assert (account.balance, account.held, account.spent) == (Decimal("0.04"), Decimal(0), Decimal(0))
    assert client.edit(**good(), key=key).status == 200


@pytest.mark.rules("EDIT-PAY-033")
@pytest.mark.parametrize("header", ["PAYMENT-SIGNATURE", "X-402-Payment", "X-PAYMENT"])
@pytest.mark.parametrize("body", [good_body(), b"{"], ids=["good", "broken"])
def test_a_payment_header_beside_a_key_is_refused(client: Client, header: str, body: bytes) -> None:
    reply = client.send(body, headers={header: "e30="})
    assert reply.status == 400
    assert set(reply.json) == {"error", "code"}
    assert reply.json["code"] == "PAYMENT_HEADER_NOT_ACCEPTED"
    assert "/x402/top-up" in reply.json["error"]
