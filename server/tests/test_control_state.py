"""/__mock/state: what goes out comes in again, in this session or another, whole or not at all, and without secrets."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import Clock, good_body, server_of, until_held
from sessions import changed, opened, refused, texts_of
from venice_mock.accounts.keys import account_id
from venice_mock.settings_types import IN_PROCESS
from wallet_kit import NOW
from wallets import ALICE, SOLANGE, TOKEN, Purse, called, control, freeze, hand_in

STATE = "/__mock/state"
KEY = "a-test-key"
SECRET = "a-key-that-nobody-may-ever-read"


def export(client: Client) -> dict[str, Any]:
    reply = client.get(STATE)
    assert reply.status == 200, reply.body
    told: dict[str, Any] = reply.json
    return told


def put(client: Client, state: Any) -> Reply:
    return client.send(json.dumps(state).encode(), method="PUT", path=STATE, key=None)


def imported(client: Client, state: Any) -> dict[str, int]:
    reply = put(client, state)
    assert reply.status == 200, reply.body
    counts: dict[str, int] = reply.json["imported"]
    return counts


def just(**parts: Any) -> dict[str, Any]:
    """A file of these parts."""
    return {"format": "venice-mock-state", "version": 1, **parts}


def lived_in(client: Client) -> Client:
    """A session with a bit of everything in it."""
    freeze(client)
    changed(
        client,
        seed=7,
        limits="real",
        keys={SECRET: {"balance_usd": "3", "spend_limit_usd": "2"}, "*": {"balance_usd": "50"}},
        wallets={"balances_usd": {ALICE.address: "1.5"}},
    )
    for key in (SECRET, SECRET, KEY):
        assert client.send(good_body(), key=key).status == 200
    assert client.send(good_body(), key="mock_flaky_3").status == 500
    purse = Purse(client, ALICE)
    assert purse.top_up().status == 200
    assert purse.edit().status == 200
    assert (
        control(client, "PATCH", f"/__mock/accounts/{KEY}", balance_usd="9", status="inactive").status == 200
    )
    rule = {
        "match": {"key": SECRET, "prompt_contains": "warm"},
        "then": {"error": "model_offline"},
        "times": 3,
    }
    assert control(client, "POST", "/__mock/rules", id="once", **rule).status == 201
    assert client.send(good_body(), key=SECRET).status == 503
    return client


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Equal, but for where and when they were written."""
    left, right = (
        {name: part for name, part in state.items() if name not in ("session", "exported_at")}
        for state in (one, other)
    )
    assert left == right


# --- out and in ----------------------------------------------------------------------------------------------


def test_what_goes_out_comes_in_on_another_server(make_client: MakeClient) -> None:
    first, second = lived_in(make_client(engine="fast")), make_client(engine="fast")
    state = export(first)
    counts = imported(second, state)
    assert counts["accounts"] == len(state["accounts"]) == 4
    assert (counts["nonces"], counts["payments"], counts["rules"], counts["clock"]) == (1, 1, 1, 1)
    same(state, export(second))
    # The same is put in twice to the same effect.
    imported(second, state)
    same(state, export(second))


def test_it_comes_in_to_another_session_and_touches_no_other(make_client: MakeClient) -> None:
    client = lived_in(make_client(engine="fast"))
    state = export(client)
    t17, t18 = opened(client, "t17"), opened(client, "t18")
    untouched = export(t18)
    imported(t17, state)
    same(state, export(t17))
    same(untouched, export(t18))
    assert t17.send(good_body(), key="new-here").status == 200
    same(state, export(client))


def test_whoever_brings_the_key_finds_the_account_the_limit_and_the_rule(make_client: MakeClient) -> None:
    state = export(lived_in(make_client(engine="fast")))
    client = make_client(engine="fast")
    imported(client, state)
    ruled = client.send(good_body(), key=SECRET)
    assert (ruled.status, ruled.headers["x-mock-cause"]) == (503, "rule:once")
    assert client.send(good_body(), key=SECRET).status == 503
    served = client.send(good_body(), key=SECRET)  # the rule's three times are over, one of them before
    assert (served.status, served.headers["x-venice-balance-usd"]) == (200, "2.88")
    rows = client.get(f"/__mock/accounts/{SECRET}/ledger").json["entries"]
    assert [row["balance_after_usd"] for row in rows] == ["2.880000", "2.920000", "2.960000"]
    assert len({row["id"] for row in rows}) == 3
    assert client.send(good_body(), key=KEY).status == 401  # inactive
    assert client.send(good_body(), key="any-other").headers["x-venice-balance-usd"] == "49.96"


def test_what_happened_before_still_counts(make_client: MakeClient) -> None:
    state = export(lived_in(make_client(engine="fast")))
    client = make_client(engine="fast")
    imported(client, state)
    purse = Purse(client, ALICE)  # whose first payment and first sign-in are those of before
    assert hand_in(client, purse.payment()).json["error"] == "PAYMENT_ALREADY_PROCESSED"
    again = purse.edit()
    assert (again.status, again.json["code"]) == (401, "X402_SIGN_IN_NONCE_REUSED")
    assert export(client)["payments"] == state["payments"]
    assert purse.balance() == Decimal("6.46")
    assert client.send(good_body(), key="mock_flaky_3").status == 500
    assert client.send(good_body(), key="mock_flaky_3").status == 200


def test_a_reset_leads_back_to_how_accounts_were_opened(make_client: MakeClient) -> None:
    state = export(lived_in(make_client(engine="fast")))
    client = make_client(engine="fast")
    imported(client, state)
    control(client, "POST", "/__mock/reset", only=["accounts"])
    assert client.get(f"/__mock/accounts/{SECRET}").json["balance_usd"] == "3.000000"
    control(client, "POST", "/__mock/reset")
    assert client.get("/__mock/config").json["keys"] is None
    assert client.get(f"/__mock/accounts/{SECRET}").json["balance_usd"] == "100.000000"


def test_what_is_drawn_begins_again_with_the_seed(make_client: MakeClient) -> None:
    client = make_client(engine="fast", seed=7, store=IN_PROCESS)  # of a shared store no seed draws ids
    state = export(client)

    def charge() -> Any:
        assert client.send(good_body()).status == 200
        return client.get(f"/__mock/accounts/{KEY}/ledger").json["entries"][0]["request_id"]

    first = charge()
    assert charge() != first
    imported(client, state)
    assert charge() == first


def test_parts_that_are_not_given_are_left_as_they_are(make_client: MakeClient) -> None:
    client = lived_in(make_client(engine="fast"))
    before = export(client)
    assert imported(client, just()) == {}
    same(before, export(client))
    assert imported(client, just(nonces=[], rules=[])) == {"nonces": 0, "rules": 0}
    same({**before, "nonces": [], "rules": []}, export(client))
    assert imported(client, just(clock={"offset_s": 60.5})) == {"clock": 1}
    assert export(client)["clock"] == {"frozen_at": None, "offset_s": 60.5}
    assert imported(client, just(accounts={})) == {"accounts": 0, "entries": 0}
    assert export(client)["payments"] == before["payments"]


def test_a_state_can_be_written_by_hand(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    accounts = {account_id(KEY): {"balance_usd": "0.05"}, f"wallet-{SOLANGE.address}": {"balance_usd": "7"}}
    imported(client, just(accounts=accounts, config={"keys": {account_id(KEY): {"balance_usd": "1"}}}))
    assert client.send(good_body()).status == 200
    assert client.send(good_body()).status == 402
    assert client.send(good_body(), key="any-other").status == 401
    assert client.get(f"/__mock/accounts/{SOLANGE.address}").json["balance_usd"] == "7.000000"


def test_new_entries_are_numbered_behind_those_that_came_in(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    row = {
        "id": "txn-000000009999",
        "type": "CHARGE",
        "amount_usd": "-1",
        "balance_after_usd": "4",
        "created_at": "2026-09-01T12:00:00Z",
    }
    imported(client, just(accounts={account_id(KEY): {"balance_usd": "4", "ledger": [row]}}))
    assert client.send(good_body()).status == 200
    ids = [entry["id"] for entry in client.get(f"/__mock/accounts/{KEY}/ledger").json["entries"]]
    assert ids[1] == row["id"]
    assert ids[0] > ids[1]


def test_an_edit_in_work_is_answered_and_charges_nobody_in_the_new_state(make_client: MakeClient) -> None:
    client = make_client(engine="fast", wall_clock=Clock(NOW))
    state = export(client)

    async def during() -> Reply:
        workshop = server_of(client).workshop
        await workshop.budget.acquire(10**9)  # nothing else is admitted
        edit = asyncio.create_task(client.sending(good_body()))
        await until_held(client, account_id(KEY), edit)
        reply = await client.sending(json.dumps(state).encode(), method="PUT", path=STATE, key=None)
        assert reply.status == 200
        workshop.budget.release(10**9)
        return await edit

    assert client.runner.run(during()).status == 200
    account = client.get(f"/__mock/accounts/{KEY}").json
    assert (account["balance_usd"], account["held_usd"]) == ("100.000000", "0.000000")
    assert client.get(f"/__mock/accounts/{KEY}/ledger").json["entries"] == []


def test_rate_limits_begin_anew(make_client: MakeClient) -> None:
    client = freeze(make_client(engine="fast", limits="real"))
    for _ in range(20):
        assert client.send(good_body()).status == 200
    assert client.send(good_body()).status == 429
    imported(client, export(client))
    assert client.send(good_body()).status == 200


def test_the_verdict_on_charges_is_about_what_follows(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    for _ in range(2):
        client.send(good_body())
    assert client.get("/__mock/ledger/verdict").json["ok"] is False
    imported(client, export(client))
    assert client.get("/__mock/ledger/verdict").json["ok"] is True


# --- secrets -------------------------------------------------------------------------------------------------


def test_no_secret_is_in_the_file(make_client: MakeClient, tmp_path: Path) -> None:
    listed = tmp_path / "keys.json"
    listed.write_text(json.dumps({"a-listed-key-of-the-file": {"balance_usd": "5"}}))
    for settings in ({}, {"keys": listed}):
        client = lived_in(make_client(engine="fast", control_token=TOKEN, **settings))
        reply = client.get(STATE, **{"x-mock-token": TOKEN})
        text = reply.body.decode()
        for secret in (
            SECRET,
            KEY,
            SECRET[-4:] + '"account',
            "a-listed-key-of-the-file",
            "the token of",
            "mock_flaky_3",
        ):
            assert secret not in text, secret
        for text in texts_of(reply.json):
            assert not text.startswith(("Bearer", "eyJ"))
            assert len(text) < 200


def test_a_listed_key_goes_by_its_hash_and_the_hash_is_no_key(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    name = account_id(SECRET)
    changed(client, keys={SECRET: {"balance_usd": "3"}})
    config = export(client)["config"]
    assert config["keys"] == {name: {"balance_usd": "3", "spend_limit_usd": None, "status": "active"}}
    other = make_client(engine="fast")
    imported(other, just(config=config))
    assert other.send(good_body(), key=SECRET).status == 200
    for stranger in (name, account_id(name), SECRET + "x"):
        assert other.send(good_body(), key=stranger).status == 401
    told = other.get("/__mock/config").json["keys"]
    assert told == [
        {"account": name, "last4": None, "balance_usd": "3", "spend_limit_usd": None, "status": "active"}
    ]


def test_a_key_that_came_in_by_its_hash_can_be_changed_and_taken_away_by_its_name(
    make_client: MakeClient,
) -> None:
    client = make_client(engine="fast")
    imported(client, just(config={"keys": {account_id(SECRET): {"balance_usd": "3"}}}))
    changed(client, keys={SECRET: {"balance_usd": "4"}})
    assert [row["balance_usd"] for row in client.get("/__mock/config").json["keys"]] == ["4"]
    imported(client, just(config={"keys": {account_id(SECRET): {"balance_usd": "3"}, "other-key": {}}}))
    changed(client, keys={SECRET: None})
    assert [row["account"] for row in client.get("/__mock/config").json["keys"]] == [account_id("other-key")]


def test_what_is_the_servers_own_is_not_in_it(make_client: MakeClient) -> None:
    config = export(make_client())["config"]
    assert not {"trust_proxy", "journal_bytes", "control_token", "host", "port"} & set(config)


# --- refusals: nothing is changed ----------------------------------------------------------------------------

NAME = account_id(KEY)


def a_row(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "txn-000000000001",
        "type": "CHARGE",
        "amount_usd": "-1",
        "balance_after_usd": "4",
        "created_at": "2026-09-01T12:00:00Z",
        "request_id": None,
        "model_id": None,
    }
    return {**row, **changes}


def account(**changes: Any) -> dict[str, Any]:
    return just(accounts={NAME: {"balance_usd": "4", "ledger": [a_row()], **changes}})


BAD: list[tuple[Any, str]] = [
    ([], "State: Expected `object`"),
    ({}, "State: Object missing required field `format`"),
    ({"format": "other", "version": 1}, "State: Invalid enum value 'other'"),
    (
        {"format": "venice-mock-state", "version": 2},
        "this is version 2 of the format; version 1 is understood",
    ),
    ({"format": "venice-mock-state", "version": "1"}, "State: Expected `int`"),
    (just(colour=1), "unknown field `colour`"),
    (just(config={"sede": 1}), "Config: there is no 'sede'. Did you mean seed?"),
    (just(config={"host": "0.0.0.0"}), "Config: host belongs to the server process"),
    (just(config={"control_token": "x"}), "Config: control_token belongs to the server process"),
    (just(config={"trust_proxy": True}), "Config: trust_proxy wants a server with --control-token"),
    (just(config={"default_model": "ghost"}), "Config: The default model ghost is no edit model"),
    (just(config={"edition": "1999-01-01"}), "Config: Unknown edition"),
    (just(config={"keys": {"a b": {}}}), "Config: keys, entry 1: a key is one word"),
    (just(clock={"frozen_at": "noon"}), "clock: 'noon' is no ISO 8601 time"),
    (just(clock={"frozen_at": "1969-01-01T00:00:00Z"}), "clock: the time must lie between"),
    (just(clock={"offset_s": 1e300}), "clock: offset_s is too large"),
    (just(accounts={"a-key-itself": {"balance_usd": "1"}}), "an account is named as /__mock/accounts"),
    (just(accounts={"key-12": {"balance_usd": "1"}}), "an account is named as"),
    (just(accounts={"wallet-0x12": {"balance_usd": "1"}}), "an account is named as"),
    (
        just(accounts={"wallet-" + ALICE.address: {"balance_usd": "1"}}),
        "an account is named as",
    ),  # mixed case
    (account(balance_usd="-4"), "'-4' is no amount of US dollars"),
    (account(balance_usd="1e9"), "'1e9' is no amount"),
    (account(balance_usd="NaN"), "'NaN' is no amount"),
    (account(balance_usd=4), "State: Expected `str`"),
    (account(balance_usd="5"), "the ledger does not"),
    (account(status="gone"), "State: Invalid enum value 'gone'"),
    (account(strikes=-1), "strikes is a whole number"),
    (account(opened_with={"balance_usd": "6"}), "the ledger does not add up at txn-000000000001"),
    (
        account(ledger=[], opened_with={"balance_usd": "6"}),
        "does not lead from the opening balance to 4.000000",
    ),
    (account(ledger=[a_row(id="one")]), "'one' is no id of an entry"),
    (account(ledger=[a_row(), a_row()]), "is no id of an entry, or stands there twice"),
    (account(ledger=[a_row(amount_usd="5")]), "does not lead from the opening balance"),
    (account(ledger=[a_row(balance_after_usd="4.01")]), "the ledger does not add up"),
    (account(ledger=[a_row(type="GIFT")]), "State: Invalid enum value 'GIFT'"),
    (account(ledger=[a_row(created_at="")]), "'' is no ISO 8601 time"),
    (account(ledger=[a_row(model_id="x" * 501)]), "texts have at most 500 characters"),
    (just(payments={"booked": ["a b"]}), "'a b' is no id of a payment"),
    (just(payments={"paid_on_chain_usd": {"somebody": "1"}}), "'somebody' is no address of a wallet"),
    (just(payments={"paid_on_chain_usd": {ALICE.address: "-1"}}), "'-1' is no amount"),
    (just(nonces=[{"owner": "a", "nonce": "b", "until": "x"}]), "nonces: 'x' is no ISO 8601 time"),
    (just(nonces=[{"owner": "a", "nonce": "b" * 501, "until": "2026-09-01"}]), "texts have at most 500"),
    (just(nonces=[{"owner": "a", "nonce": "b", "until": "2026-09-01"}] * 2), "one stands there twice"),
    (just(rules=[{"then": {}}]), "Rule: then is empty"),
    (
        just(rules=[{"then": {"seed": 1}, "match": {"model": "ghost"}}]),
        "Rule: there is no edit model 'ghost'",
    ),
    (just(rules=[{"then": {"seed": 1}, "fired": -1}]), "Rule: fired is a whole number"),
    (just(rules=[{"then": {"seed": 1}, "id": "one"}] * 2), "two rules have one id"),
    (just(rules=[{"then": {"seed": 1}, "id": f"r{n}"} for n in range(201)]), "there are too many rules"),
]


@pytest.mark.parametrize(("state", "told"), BAD, ids=[told for _, told in BAD])
def test_a_file_that_is_wrong_anywhere_changes_nothing(
    make_client: MakeClient, state: Any, told: str
) -> None:
    client = lived_in(make_client(engine="fast"))
    before = export(client)
    assert told in refused(put(client, state))
    same(before, export(client))
    if (
        isinstance(state, dict) and state.get("version") == 1
    ):  # good parts beside the bad one are not taken either
        good_parts = just(clock={"offset_s": 5}, nonces=[], rules=[], accounts={}, config={"seed": 8})
        assert told in refused(put(client, {**good_parts, **state}))
        same(before, export(client))


@pytest.mark.parametrize("spoil", ["accounts", "nonces", "clock", "payments", "rules"])
def test_an_export_with_one_spoilt_part_changes_nothing(make_client: MakeClient, spoil: str) -> None:
    state = export(lived_in(make_client(engine="fast")))
    client = make_client(engine="fast")
    before, broken = export(client), copy.deepcopy(state)
    ways: dict[str, Callable[[Any], Any]] = {
        "accounts": lambda part: next(iter(part.values())).update(balance_usd="77"),
        "nonces": lambda part: part[0].update(until="never"),
        "clock": lambda part: part.update(frozen_at="never"),
        "payments": lambda part: part["booked"].append(" "),
        "rules": lambda part: part[0].update(then={"error": "nonsense"}),
    }
    ways[spoil](broken[spoil])
    refused(put(client, broken))
    same(before, export(client))
    imported(client, state)


def test_a_body_that_is_no_json_or_nested_without_end_is_refused(client: Client) -> None:
    for body in (b"", b"{", b"[" * 200_000, b'{"config":' * 50_000, b"\xff"):
        assert client.send(body, method="PUT", path=STATE, key=None).status == 400


def test_a_large_ledger_goes_out_and_comes_in(make_client: MakeClient) -> None:
    rows = [
        a_row(id=f"txn-{n:012d}", amount_usd="-0.01", balance_after_usd=f"{(100_000 - n) / 100:.2f}")
        for n in range(1, 10_001)
    ]
    client = make_client()
    counts = imported(client, just(accounts={NAME: {"balance_usd": "900", "ledger": rows}}))
    assert counts == {"accounts": 1, "entries": 10_000}
    state = export(client)
    assert len(json.dumps(state)) > 1 << 20
    imported(make_client(), state)


def test_it_stands_behind_the_guard(client: Client) -> None:
    assert called(client, "evil.example").get(STATE).status == 403
    assert client.get(STATE, origin="http://evil.example").status == 403
    reply = client.send(
        json.dumps(just()).encode(), method="PUT", path=STATE, content_type="text/plain", key=None
    )
    assert reply.status == 415
