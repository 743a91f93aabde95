"""A session put back to its beginning, also while edits are in work; and what the mock says of itself."""

from __future__ import annotations

import asyncio
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply, request
from conftest import MakeClient
from rulekit import (
    TEST_EDITION,
    Clock,
    account_of,
    balance_of,
    good,
    good_body,
    ledger_of,
    server_of,
    until_held,
)
from venice_mock import __version__
from venice_mock.accounts.keys import account_id
from venice_mock.app import create_app
from venice_mock.contract import load_contract
from venice_mock.edit.deflate import FASTEST
from venice_mock.settings import Settings
from venice_mock.settings_types import Latency
from venice_mock.state.memory import MemoryStore
from venice_mock.wallet.desk import wallet_account
from wallets import CLOCK, SOLANGE, Purse, control, hand_in, now_of, purse_of

RESET = "/__mock/reset"
PARTS = ["accounts", "nonces", "limits", "clock", "journal", "rules", "config"]
KEY = "a-test-key"


def reset(client: Client, *only: str) -> None:
    reply = control(client, "POST", RESET, only=list(only))
    assert (reply.status, reply.json) == (200, {"reset": [part for part in PARTS if part in only]})


def used(make_client: MakeClient, folder: Path) -> tuple[Purse, str, str]:
    """A server of which everything was used, with a sign-in and a payment that were."""
    purse = purse_of(make_client, folder, "5", wall_clock=Clock())
    client = purse.client
    sign_in, payment = purse.sign_in(), purse.payment()
    assert purse.edit(sign_in).status == 200
    assert hand_in(client, payment).status == 200
    assert client.edit(**good()).status == 200
    assert client.edit(key="mock_flaky_2", **good()).status == 500
    assert client.edit(key="mock_rate_limited", **good()).status == 429
    assert control(client, "PATCH", "/__mock/accounts/a-test-key", status="inactive").status == 200
    assert control(client, "POST", CLOCK + "/advance", seconds=5).status == 200
    return purse, sign_in, payment


def state(purse: Purse) -> dict[str, Any]:
    client = purse.client
    account = client.get("/__mock/accounts/a-test-key").json
    wallet = client.get(f"/__mock/accounts/{purse.address}/ledger").json
    return {
        "key": (account["balance_usd"], account["status"], account["spent_usd"]),
        "wallet": (wallet["balance_usd"], len(wallet["entries"])),
        "offset": client.get(CLOCK).json["offset_s"],
    }


USED = {"key": ("99.960000", "inactive", "0.040000"), "wallet": ("9.960000", 2), "offset": 5.0}
FRESH = {"key": ("100.000000", "active", "0.000000"), "wallet": ("5.000000", 0), "offset": 0.0}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"only": null}', json.dumps({"only": PARTS}).encode()])
def test_a_reset_puts_everything_back(make_client: MakeClient, tmp_path: Path, body: bytes) -> None:
    purse, sign_in, payment = used(make_client, tmp_path)
    client = purse.client
    assert state(purse) == USED
    reply = client.send(body, path=RESET, key=None)
    assert (reply.status, reply.json) == (200, {"reset": PARTS})
    assert state(purse) == FRESH
    assert ledger_of(client, KEY) == []
    assert purse.edit(sign_in).status == 200  # its nonce is new again
    assert hand_in(client, payment).status == 200
    assert state(purse)["wallet"] == ("9.960000", 2)
    first = client.edit(**good())
    assert first.headers["x-ratelimit-remaining-requests"] == "19"
    assert [client.edit(key="mock_flaky_2", **good()).status for _ in range(2)] == [500, 200]
    assert client.edit(key="mock_rate_limited", **good()).headers["retry-after"] == "60"


def test_only_the_parts_that_are_named_are_reset(make_client: MakeClient, tmp_path: Path) -> None:
    purse, sign_in, payment = used(make_client, tmp_path)
    client = purse.client
    reset(client)
    assert state(purse) == USED
    reset(client, "clock")
    assert state(purse) == {**USED, "offset": 0.0}
    reset(client, "accounts")
    assert state(purse) == FRESH
    assert purse.edit(sign_in).json["code"] == "X402_SIGN_IN_NONCE_REUSED"
    assert client.edit(**good()).headers["x-ratelimit-remaining-requests"] == "18"
    assert client.edit(key="mock_flaky_2", **good()).status == 500
    reset(client, "limits")
    assert client.edit(**good()).headers["x-ratelimit-remaining-requests"] == "19"
    reset(client, "nonces", "nonces")
    assert purse.edit(sign_in).status == 200
    assert hand_in(client, payment).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"only": "accounts"}',
        b'{"only": ["journals"]}',
        b'{"all": true}',
        b'{"only": [1]}',
        b"\xff",
    ],
)
def test_a_reset_that_cannot_be_understood_resets_nothing(
    make_client: MakeClient, tmp_path: Path, body: bytes
) -> None:
    purse, *_ = used(make_client, tmp_path)
    reply = purse.client.send(body, path=RESET, key=None)
    assert (reply.status, list(reply.json)) == (400, ["error"])
    assert reply.json["error"].startswith("Reset: ")
    assert state(purse) == USED


def test_a_part_that_is_unknown_is_told_which_there_are(make_client: MakeClient) -> None:
    reply = control(make_client(), "POST", RESET, only=["clock", "journals"])
    assert reply.json["error"] == f"Reset: there is no part 'journals'; known: {', '.join(PARTS)}"


def test_a_reset_ends_a_block_for_failures(make_client: MakeClient) -> None:
    client = make_client(engine="fast", limits="real", wall_clock=Clock())
    for number in range(22):
        client.edit(**good(model=f"nope-{number}"))
    assert client.edit(**good()).json["error"].startswith(("Too many failed", "Rate limit"))
    reset(client, "limits")
    assert client.edit(**good()).status == 200


# --- while edits are in work -------------------------------------------------------------------------------------


def in_work(client: Client, *, order: str = "latency=500ms", purse: Purse | None = None) -> Reply:
    """An edit, and a reset while its price is held; the edit's answer."""
    sign_in = None if purse is None else purse.sign_in()
    account = account_id(KEY) if purse is None else wallet_account(purse.address)

    async def exchange() -> Reply:
        headers = {"X-Mock": order} | ({} if sign_in is None else {"SIGN-IN-WITH-X": sign_in})
        key = KEY if sign_in is None else None
        edit = asyncio.create_task(client.sending(good_body(), headers=headers, key=key))
        await until_held(client, account, edit)
        answer = await client.sending(b"{}", path=RESET, key=None)
        assert answer.status == 200
        return await edit

    return client.runner.run(exchange())


def test_an_edit_in_work_during_a_reset_is_answered_and_charged_nothing(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    reply = in_work(client)
    assert (reply.status, reply.headers["x-venice-balance-usd"]) == (200, "100")
    account = account_of(client, KEY)
    assert (account.balance, account.held, account.spent) == (Decimal(100), Decimal(0), Decimal(0))
    assert ledger_of(client, KEY) == []
    assert client.edit(**good()).status == 200
    assert balance_of(client, KEY) == Decimal("99.96")


def test_an_edit_that_fails_after_a_reset_gives_nothing_back(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    assert in_work(client, order="error=timeout; latency=500ms").status == 504
    account = account_of(client, KEY)
    assert (account.balance, account.held) == (Decimal(100), Decimal(0))


def test_a_wallets_edit_in_work_during_a_reset_too(make_client: MakeClient, tmp_path: Path) -> None:
    purse = purse_of(make_client, tmp_path, "5", limits="real")
    reply = in_work(purse.client, purse=purse)
    assert (reply.status, reply.headers["x-balance-remaining"]) == (200, "5.000000")
    assert purse.balance() == 5


def test_resets_amid_a_storm_of_edits_neither_crash_nor_make_money(make_client: MakeClient) -> None:
    client = make_client(engine="fast")

    async def storm() -> list[Reply]:
        many: list[Any] = []
        for number in range(40):
            many.append(client.sending(good_body(), key=f"key-{number % 3}-of-the-storm"))
            if number % 4 == 0:
                many.append(client.sending(b"{}", path=RESET, key=None))
        return list(await asyncio.gather(*many))

    assert {reply.status for reply in client.runner.run(storm())} == {200}
    for number in range(3):
        key = f"key-{number}-of-the-storm"
        account, rows = account_of(client, key), ledger_of(client, key)
        assert account.balance == 100 + sum(row.amount for row in rows) == 100 - account.spent
        assert account.held == 0
    store: Any = server_of(client).session.store
    if isinstance(store, MemoryStore):  # where nothing would end by itself
        assert not store._holds
        assert not store._void_holds


def test_places_in_flight_are_given_back_by_those_who_took_them(make_client: MakeClient) -> None:
    client = make_client(engine="fast", limits="real", latency=Latency(0.5, 0.5))
    purse = Purse(client, SOLANGE)
    assert control(client, "PUT", f"/__mock/accounts/{purse.address}", balance_usd="5").status == 200
    reply = in_work(client, purse=purse)
    assert reply.status == 200
    store, place = server_of(client).session.store, f"flight:{wallet_account(purse.address)}"
    most = server_of(client).contract.edition.limits.wallet_in_flight
    free = [client.runner.run(store.take_slot(place, most)) for _ in range(most + 1)]
    assert free == [True] * most + [False]


def test_servers_are_reset_one_at_a_time(make_client: MakeClient) -> None:
    one, other = make_client(engine="fast"), make_client(engine="fast")
    for client in (one, other):
        assert client.edit(**good()).status == 200
    reset(one, "accounts")
    assert (balance_of(one, KEY), balance_of(other, KEY)) == (Decimal(100), Decimal("99.96"))


# --- what the mock says of itself --------------------------------------------------------------------------------


def test_the_mock_says_what_it_is_and_where_to_go(make_client: MakeClient) -> None:
    wall = Clock()
    client = make_client(seed=5, behavior="observed", wall_clock=wall)
    wall.now += 12.5
    told = client.get("/__mock").json
    links, gone = told.pop("links"), asyncio.Event()
    gone.set()  # a stream of events ends when its listener leaves
    assert told == {
        "mock": "venice-mock",
        "name": "venice-mock",
        "session": "default",
        "version": __version__,
        "edition": "2026-06-19",
        "behavior": "observed",
        "seed": 5,
        "uptime_s": 12.5,
        "pid": os.getpid(),
        "cache": {
            "hits": 0,
            "misses": 0,
            "entries": 0,
            "bytes": 0,
            "limit_bytes": 64 << 20,
            "evictions": 0,
        },
        "png_writer": FASTEST.name,
    }
    for name, path in links.items():
        if name == "api":
            assert client.get(path + "/models").status == 200
        else:
            real = path.replace("{account}", "mock_ok").replace("{file}", "inspector.css")
            assert client.runner.run(request(client.app, "GET", real, [], [], leave=gone)).status in (
                200,
                405,
            )
    assert {"self", "accounts", "clock", "reset", "contract.json", "openapi"} <= set(links)
    assert now_of(client) == wall.now


def test_uptime_is_the_walls_and_no_seed_is_null(make_client: MakeClient) -> None:
    client = make_client(wall_clock=Clock())
    assert control(client, "POST", CLOCK + "/advance", seconds=500).status == 200
    assert (client.get("/__mock").json["uptime_s"], client.get("/__mock").json["seed"]) == (0, None)


@pytest.mark.parametrize("edition", ["2026-06-19", str(TEST_EDITION)])
def test_the_rules_are_those_that_hold_in_the_edition(edition: str) -> None:
    client = Client(create_app(Settings(edition=edition)))
    told = client.get("/__mock/contract.json").json
    client.close()
    contract = load_contract(edition)
    assert told["edition"] == contract.edition.edition
    assert [rule["id"] for rule in told["rules"]] == [rule.id for rule in contract.edition.active_rules]
    for rule in told["rules"]:
        assert {"id", "group", "level", "text", "source", "certainty", "cost", "since"} <= set(rule)
