"""Accounts through the control plane: reading and setting balance, limit and state of keys and wallets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import Clock, account_of, balance_of, good, good_body, ledger_of, server_of
from venice_mock.accounts.keys import account_id
from venice_mock.app import create_app
from venice_mock.settings import Settings
from venice_mock.times import iso_time
from wallets import ALICE, SOLANGE, Purse, address_of, control, purse_of

ACCOUNTS = "/__mock/accounts/"
KEY = "a-secret-key-of-a-team"
WALL = 1_800_000_000.0
FRESH = {
    "kind": "key",
    "account": account_id(KEY),
    "last4": "team",
    "balance_usd": "100.000000",
    "held_usd": "0.000000",
    "available_usd": "100.000000",
    "spent_usd": "0.000000",
    "spend_limit_usd": None,
    "status": "active",
}


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client(engine="fast", wall_clock=Clock(WALL))


def put(client: Client, name: str = KEY, **fields: Any) -> Reply:
    return control(client, "PUT", ACCOUNTS + quote(name, safe=""), **fields)


def patch(client: Client, name: str = KEY, **fields: Any) -> Reply:
    return control(client, "PATCH", ACCOUNTS + quote(name, safe=""), **fields)


def read(client: Client, name: str = KEY, rest: str = "") -> Any:
    reply = client.get(ACCOUNTS + quote(name, safe="") + rest)
    assert reply.status == 200, reply.body
    return reply.json


def refused(reply: Reply, status: int = 400) -> str:
    assert (reply.status, list(reply.json)) == (status, ["error"]), reply.body[:300]
    return str(reply.json["error"])


# --- reading -----------------------------------------------------------------------------------------------------


def test_a_key_nobody_used_yet_has_a_fresh_account(client: Client) -> None:
    assert read(client) == FRESH
    assert read(client, rest="/ledger") == {
        "kind": "key", "account": account_id(KEY), "last4": "team", "balance_usd": "100.000000",
        "held_usd": "0.000000", "entries": [], "limit": 100, "offset": 0, "has_more": False,
    }  # fmt: skip


def test_an_edit_shows_in_account_and_ledger(client: Client) -> None:
    assert client.edit(key=KEY, **good()).status == 200
    spent = {"balance_usd": "99.960000", "available_usd": "99.960000", "spent_usd": "0.040000"}
    assert read(client) == {**FRESH, **spent}
    (row,) = read(client, rest="/ledger")["entries"]
    (booked,) = ledger_of(client, KEY)
    assert row == {
        "id": booked.id,
        "type": "CHARGE",
        "amount_usd": "-0.040000",
        "balance_after_usd": "99.960000",
        "created_at": iso_time(WALL),
        "request_id": booked.request_id,
        "model_id": "qwen-edit",
    }


def test_the_ledger_comes_in_pages_newest_first(client: Client) -> None:
    for amount in range(1, 6):
        assert put(client, balance_usd=str(amount)).status == 200
    pages = [read(client, rest=f"/ledger?limit=2&offset={offset}") for offset in (0, 2, 4, 6)]
    after = [[row["balance_after_usd"][0] for row in page["entries"]] for page in pages]
    assert after == [["5", "4"], ["3", "2"], ["1"], []]
    assert [page["has_more"] for page in pages] == [True, True, False, False]
    for query in (
        "limit=0",
        "limit=1001",
        "limit=x",
        "offset=-1",
        "limit=",
        "limit=1e3",
        "offset=99999999999",
    ):
        refused(client.get(f"{ACCOUNTS}{KEY}/ledger?{query}"))


@pytest.mark.parametrize("key", ["a/b", "a%2Fb", "x/ledger", "ledger", "ключ", "a?b#c", "..", "%", "a+b"])
def test_a_key_may_hold_whatever_a_header_may(client: Client, key: str) -> None:
    sent = key.encode().decode("latin-1")  # as the bytes of UTF-8
    assert client.edit(key=sent, **good()).status == 200
    assert read(client, key)["balance_usd"] == "99.960000"
    assert read(client, key, "/ledger")["balance_usd"] == "99.960000"


@pytest.mark.parametrize("key", ["short", "mock_ok", "twelve-chars", "a-much-longer-key-that-is-secret-42"])
def test_no_answer_repeats_a_key(client: Client, key: str) -> None:
    path = ACCOUNTS + key
    for reply in (
        client.get(path),
        client.get(path + "/ledger"),
        put(client, key, balance_usd="3"),
        patch(client, key, status="disabled"),
        put(client, key, balance_usd="x"),
        put(client, key, colour="x"),
        client.get(path + "/nowhere"),
        client.send(b"{", method="PUT", path=path, key=None),
    ):
        assert key not in reply.body.decode() + str(reply.headers)
    assert read(client, key)["last4"] == (key[-4:] if len(key) >= 12 else None)


@pytest.mark.parametrize("key", ["mock_balanc_5", "mock_", "two%20words", "%20"])
def test_a_key_that_opens_nothing_has_no_account(client: Client, key: str) -> None:
    for reply in (client.get(ACCOUNTS + key), control(client, "PUT", ACCOUNTS + key, balance_usd="1")):
        assert "There is no such account." in refused(reply, 404)
    assert "mock_balance_0.05" in refused(client.get(ACCOUNTS + "mock_balanc_5"), 404)


def test_a_key_that_the_keys_file_lacks_has_no_account(make_client: MakeClient, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"listed": {"balance_usd": "5", "status": "inactive"}}), "utf-8")
    client = make_client(keys=file)
    told = read(client, "listed")
    assert (told["balance_usd"], told["status"]) == ("5.000000", "inactive")
    assert "keys file" in refused(client.get(ACCOUNTS + "other"), 404)


@pytest.mark.parametrize(("rest", "status"), [("/x", 404), ("/ledger/x", 404), ("/", 200), ("/ledger/", 404)])
def test_below_an_account_there_is_its_ledger_only(client: Client, rest: str, status: int) -> None:
    assert client.get(ACCOUNTS + KEY + rest).status == status
    assert control(client, "PUT", f"{ACCOUNTS}{KEY}/ledger", balance_usd="1").status == 405
    assert control(client, "POST", ACCOUNTS + KEY, balance_usd="1").status == 405
    assert control(client, "DELETE", ACCOUNTS + KEY).status == 405
    assert read(client) == FRESH


def test_the_accounts_that_were_opened_are_listed_in_pages(client: Client) -> None:
    assert client.get("/__mock/accounts").json["accounts"] == []
    assert client.edit(key=KEY, **good()).status == 200
    read(client, "mock_ok")
    put(client, ALICE.address, balance_usd="3")
    told = client.get("/__mock/accounts").json
    assert (told["count"], told["limit"], told["offset"], told["has_more"]) == (3, 100, 0, False)
    by_name = {row["account"]: row for row in told["accounts"]}
    assert list(by_name) == sorted(by_name)
    fresh = {name: value for name, value in FRESH.items() if name != "last4"}
    spent = {"balance_usd": "99.960000", "available_usd": "99.960000", "spent_usd": "0.040000"}
    assert by_name[account_id(KEY)] == {**fresh, **spent}
    assert by_name[account_id("mock_ok")]["magic_key"] == "mock_ok"
    (wallet,) = (row for row in told["accounts"] if row["kind"] == "wallet")
    assert (wallet["address"], wallet["balance_usd"]) == (address_of(ALICE), "3.000000")
    assert KEY not in str(told)
    pages = [client.get(f"/__mock/accounts?limit=2&offset={offset}").json for offset in (0, 2, 4)]
    assert [row for page in pages for row in page["accounts"]] == told["accounts"]
    assert [page["has_more"] for page in pages] == [True, False, False]
    for query in ("limit=0", "offset=-1", "page=2"):
        refused(client.get(f"/__mock/accounts?{query}"))


# --- setting -----------------------------------------------------------------------------------------------------


def test_a_balance_that_was_set_is_what_edits_are_paid_from(client: Client) -> None:
    reply = put(client, balance_usd="0.05")
    changed = {"balance_usd": "0.050000", "available_usd": "0.050000"}
    assert (reply.status, reply.json) == (200, {**FRESH, **changed})
    assert balance_of(client, KEY) == Decimal("0.05")
    assert [client.edit(key=KEY, **good()).status for _ in range(2)] == [200, 402]
    assert patch(client, balance_usd="1").status == 200
    assert client.edit(key=KEY, **good()).headers["x-venice-balance-usd"] == "0.96"


def test_a_balance_that_is_set_is_one_row_and_the_ledger_adds_up(client: Client) -> None:
    for balance in ("0.05", "0.05", "7", "0.000001"):
        assert put(client, balance_usd=balance).status == 200
    assert client.edit(key=KEY, **good()).status == 402
    rows = read(client, rest="/ledger")["entries"]
    assert [(row["type"], row["amount_usd"], row["balance_after_usd"]) for row in reversed(rows)] == [
        ("ADJUSTMENT", "-99.950000", "0.050000"),
        ("ADJUSTMENT", "6.950000", "7.000000"),
        ("ADJUSTMENT", "-6.999999", "0.000001"),
    ]
    assert {(row["request_id"], row["model_id"], row["created_at"]) for row in rows} == {
        (None, None, iso_time(WALL))
    }


@pytest.mark.parametrize(
    ("status", "answer"),
    [("inactive", 401), ("disabled", 403), ("active", 200)],
    ids=lambda value: str(value),
)
def test_a_state_that_was_set_decides_the_next_request(client: Client, status: str, answer: int) -> None:
    assert patch(client, status=status).json == {**FRESH, "status": status}
    assert client.edit(key=KEY, **good()).status == answer
    assert patch(client, status="active").status == 200
    assert client.edit(key=KEY, **good()).status == 200


def test_a_spend_limit_can_be_set_and_lifted(client: Client) -> None:
    assert patch(client, spend_limit_usd="0.05").json["spend_limit_usd"] == "0.050000"
    replies = [client.edit(key=KEY, **good()) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 402]
    assert replies[1].json["error"].startswith("API key USD spend limit exceeded")
    assert patch(client, spend_limit_usd=None).json["spend_limit_usd"] is None
    assert client.edit(key=KEY, **good()).status == 200


@pytest.mark.parametrize("change", [put, patch])
def test_what_is_not_named_stays(client: Client, change: Callable[..., Reply]) -> None:
    assert put(client, balance_usd="5", spend_limit_usd="2", status="inactive").status == 200
    told = change(client, balance_usd="4.23").json
    assert (told["balance_usd"], told["spend_limit_usd"], told["status"]) == (
        "4.230000",
        "2.000000",
        "inactive",
    )
    assert change(client).json == told
    assert change(client, status="disabled").json == {**told, "status": "disabled"}


def test_a_change_of_state_alone_gives_no_money(client: Client) -> None:
    assert client.edit(key=KEY, **good()).status == 200
    assert put(client, status="disabled").json["balance_usd"] == "99.960000"
    assert [row["type"] for row in read(client, rest="/ledger")["entries"]] == ["CHARGE"]


BAD_BODIES: list[Any] = [
    b"", b"{", b"[]", b"null", b"\xff", b'{"balance_usd": 5}', b'{"balance_usd": null}', b'{"balance": "5"}',
    b'{"status": "invalid"}', b'{"status": "Active"}', b'{"status": null}', b'{"spend_limit_usd": 1}',
    b'{"spend_limit_usd": ""}', b"[" * 100_000, b'{"balance_usd": "5", "x": 1}',
    *(json.dumps({"balance_usd": text}).encode() for text in
      ("", "-1", "1e3", "NaN", "inf", "1.", ".5", "1.0000001", "1234567890123", " 5", "5 ", "+5", "٣", "$5", "1,5")),
]  # fmt: skip


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:40]))
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_is_no_change_changes_nothing(client: Client, method: str, body: bytes) -> None:
    reply = client.send(body, method=method, path=ACCOUNTS + KEY, key=None)
    assert refused(reply).startswith("Account: ")
    assert read(client) == FRESH


def test_a_balance_below_what_edits_in_work_hold_is_refused(client: Client) -> None:
    store = server_of(client).session.store
    read(client)
    hold = client.runner.run(store.hold(account_id(KEY), Decimal(4)))
    refused(put(client, balance_usd="3.999999", status="disabled"), 409)
    told = read(client)
    assert (told["balance_usd"], told["held_usd"], told["status"]) == ("100.000000", "4.000000", "active")
    assert put(client, balance_usd="4").json["available_usd"] == "0.000000"
    assert read(client, rest="/ledger")["held_usd"] == "4.000000"
    client.runner.run(store.settle(hold, now=0, request_id="r", model_id="m"))  # type: ignore[arg-type]
    assert read(client)["balance_usd"] == "0.000000"


def test_changes_amid_edits_lose_nothing(client: Client) -> None:
    async def storm() -> list[Reply]:
        body = json.dumps({"balance_usd": "50"}).encode()
        many: list[Any] = []
        for _ in range(15):
            many.append(client.sending(good_body(), key=KEY))
            many.append(client.sending(body, method="PATCH", path=ACCOUNTS + KEY, key=None))
        return list(await asyncio.gather(*many))

    replies = client.runner.run(storm())
    assert {reply.status for reply in replies} == {200}
    account, rows = account_of(client, KEY), ledger_of(client, KEY)
    assert account.held == 0
    assert account.balance == 100 + sum(row.amount for row in rows)
    assert sum(row.type == "CHARGE" for row in rows) == 15
    assert account.spent == 15 * Decimal("0.04")


# --- wallets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wallet", [ALICE, SOLANGE], ids=lambda wallet: wallet.kind)
def test_a_wallet_is_named_by_its_address_and_its_rows_add_up_for_the_vendors_clients(
    make_client: MakeClient, wallet: Any
) -> None:
    client = make_client(engine="fast")
    reply = put(client, wallet.address, balance_usd="4.23")
    assert reply.status == 200
    assert reply.json["address"] == address_of(wallet)
    assert (reply.json["kind"], reply.json["balance_usd"]) == ("wallet", "4.230000")
    purse = Purse(client, wallet)
    assert purse.balance() == Decimal("4.23")
    assert purse.edit().headers["x-balance-remaining"] == "4.190000"
    assert patch(client, wallet.address, balance_usd="1").status == 200
    rows = purse.transactions()["transactions"]
    assert [(row["type"], row["amount"]) for row in reversed(rows)] == [
        ("TOP_UP", Decimal("4.23")),
        ("CHARGE", Decimal("-0.04")),
        ("CHARGE", Decimal("-3.19")),
    ]
    assert sum(row["amount"] for row in rows) == purse.balance() == 1
    ours = read(client, wallet.address, "/ledger")["entries"]
    assert [row["type"] for row in ours] == ["ADJUSTMENT", "CHARGE", "ADJUSTMENT"]
    assert [row["id"] for row in ours] == [row["id"] for row in rows]


def test_an_evm_address_is_the_same_in_any_case(client: Client) -> None:
    assert put(client, ALICE.address, balance_usd="3").status == 200
    for spelt in (ALICE.address.lower(), "0x" + ALICE.address[2:].upper()):
        assert read(client, spelt)["balance_usd"] == "3.000000"


def test_a_wallet_starts_with_what_the_wallets_file_says(make_client: MakeClient, tmp_path: Path) -> None:
    purse = purse_of(make_client, tmp_path, "2.5")
    assert read(purse.client, purse.address)["balance_usd"] == "2.500000"
    assert put(purse.client, purse.address, balance_usd="9").status == 200
    assert put(purse.client, purse.address).json["balance_usd"] == "9.000000"


@pytest.mark.parametrize(
    "fields", [{"status": "active"}, {"spend_limit_usd": "1"}, {"spend_limit_usd": None}]
)
def test_a_wallet_has_neither_state_nor_limit(client: Client, fields: dict[str, Any]) -> None:
    assert "wallet" in refused(patch(client, ALICE.address, **fields))


def test_a_key_that_looks_like_an_address_can_be_named_as_a_key(client: Client) -> None:
    key = SOLANGE.address
    assert client.edit(key=key, **good()).status == 200
    assert read(client, key)["kind"] == "wallet"
    assert read(client, key, "?kind=key")["balance_usd"] == "99.960000"
    assert len(read(client, key, "/ledger?kind=key")["entries"]) == 1
    assert control(client, "PUT", f"{ACCOUNTS}{key}?kind=key", balance_usd="3").status == 200
    assert balance_of(client, key) == 3
    refused(client.get(f"{ACCOUNTS}{KEY}?kind=wallet"))
    refused(client.get(f"{ACCOUNTS}{KEY}?kind=x"))


# --- laws --------------------------------------------------------------------------------------------------------

AMOUNTS = st.decimals(0, 10**6, places=6).map(lambda amount: f"{amount:f}")


@pytest.fixture(scope="module")
def shared() -> Any:
    client = Client(create_app(Settings(engine="fast")))
    yield client
    client.close()


@settings(max_examples=60, deadline=None, database=None)
@given(
    amounts=st.lists(AMOUNTS, min_size=1, max_size=6), edits=st.integers(0, 2), number=st.integers(0, 10**9)
)
def test_the_sum_of_the_rows_is_always_the_balance(
    shared: Client, amounts: list[str], edits: int, number: int
) -> None:
    key = f"a-key-with-a-number-{number}"
    before = Decimal(read(shared, key)["balance_usd"]) - sum(row.amount for row in ledger_of(shared, key))
    for amount in amounts:
        assert Decimal(put(shared, key, balance_usd=amount).json["balance_usd"]) == Decimal(amount)
        for _ in range(edits):
            assert shared.edit(key=key, **good()).status in (200, 402)
    rows = ledger_of(shared, key)
    assert account_of(shared, key).balance == before + sum(row.amount for row in rows) >= 0
    assert all(row.balance_after >= 0 and row.amount != 0 for row in rows)
