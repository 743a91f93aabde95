"""Sessions: opening, listing and ending them, the addresses they tell, and that none ever sees another."""

from __future__ import annotations

import asyncio
import gc
import json
import time
import tracemalloc
import weakref
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import EDIT, Clock, accounts_in, balance_of, good, good_body, server_of, until_held
from sessions import CONFIG, RESET, SESSIONS, body_of, opened, refused, tenant_of, texts_of, under
from venice_mock.accounts.keys import account_id
from venice_mock.contract import load_edition
from venice_mock.edit.workshop import Workshop
from venice_mock.settings import Settings
from venice_mock.settings_types import IN_PROCESS
from venice_mock.tenancy import MOST_SESSIONS, Tenants, TooManySessions, is_name
from venice_mock.times import iso_time
from wallet_kit import NOW, decode
from wallets import BALANCE, CLOCK, SOLANGE, TOP_UP, TRANSACTIONS, Purse, control, freeze, hand_in

HERE = "http://127.0.0.1:8402"
KEY = "a-test-key"
STAMPS = {name: load_edition(name).stamp for name in ("2026-06-19", "2026-08-22")}


# --- opening, listing, ending ------------------------------------------------------------------------------------


def test_a_session_is_opened_with_its_addresses_and_its_config(client: Client) -> None:
    reply = control(client, "POST", SESSIONS, name="t17", config={"seed": 7})
    assert reply.status == 201
    told = reply.json
    assert told == {
        "id": "t17",
        "base_url": f"{HERE}/__s/t17/api/v1",
        "control_url": f"{HERE}/__s/t17/__mock",
        "config": {**client.get(CONFIG).json, "seed": 7},
    }
    assert client.get(f"{SESSIONS}/t17").json == told
    assert client.get(f"/__s/t17{SESSIONS}/t17").json == told
    assert client.get(told["control_url"].removeprefix(HERE)).json["session"] == "t17"
    assert client.get(told["base_url"].removeprefix(HERE) + "/models").status == 200


def test_the_list_begins_with_the_default_session(client: Client) -> None:
    for name in ("b", "a"):
        opened(client, name)
    listed = client.get(SESSIONS).json["sessions"]
    assert [each["id"] for each in listed] == ["default", "b", "a"]
    assert listed[0] == {
        "id": "default",
        "base_url": f"{HERE}/api/v1",
        "control_url": f"{HERE}/__mock",
    }


@pytest.mark.parametrize("body", [b"", b"{}", b'{"name": null}'])
def test_a_session_without_a_name_gets_one_that_is_free(client: Client, body: bytes) -> None:
    names = [client.send(body, path=SESSIONS, key=None).json["id"] for _ in range(20)]
    assert len(set(names)) == 20
    assert all(is_name(name) and len(name) < 12 for name in names)
    assert client.get(f"/__s/{names[-1]}/livez").status == 200


def test_generated_names_are_the_same_under_the_same_seed(make_client: MakeClient) -> None:
    def names(seed: int | None) -> list[str]:
        client = make_client(seed=seed)
        return [client.send(b"{}", path=SESSIONS, key=None).json["id"] for _ in range(3)]

    assert names(5) == names(5)
    assert len({*names(5), *names(6), *names(None), *names(None)}) == 12


@pytest.mark.parametrize("name", ["a", "0", "t17", "a-b-", "x" * 40])
def test_a_name_is_lower_case_letters_digits_and_hyphens(client: Client, name: str) -> None:
    assert opened(client, name).get("/readyz").status == 200


BAD_NAMES = ["", "-a", "A", "t_17", "a b", "a/b", "..", ".", "é", "x" * 41, "a\n", "\u0661", "__s"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_any_other_name_is_refused(client: Client, name: str) -> None:
    told = refused(control(client, "POST", SESSIONS, name=name))
    assert told == "Session: a name is 1 to 40 of a-z, 0-9 and -, and does not begin with -"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"name": 5}', b'{"nmae": "x"}', b'{"config": []}'])
def test_a_request_that_is_none_opens_nothing(client: Client, body: bytes) -> None:
    assert refused(client.send(body, path=SESSIONS, key=None)).startswith("Session: ")
    assert len(client.get(SESSIONS).json["sessions"]) == 1


@pytest.mark.parametrize("name", ["t17", "default"])
def test_a_name_that_is_taken_is_a_conflict_and_leaves_its_session_alone(client: Client, name: str) -> None:
    opened(client, "t17", seed=1)
    reply = control(client, "POST", SESSIONS, name=name, config={"seed": 2})
    assert refused(reply, 409) == f"Session: {name} is open already; choose another name, or none"
    assert client.get(f"/__s/t17{CONFIG}").json["seed"] == 1


def test_a_session_that_was_ended_is_gone_and_its_name_free_for_a_fresh_one(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    first = opened(client, "t17")
    assert first.edit(**good()).status == 200
    reply = control(client, "DELETE", f"{SESSIONS}/t17")
    assert (reply.status, reply.json) == (200, {"ended": "t17"})
    for path in ("/livez", CLOCK, "/api/v1/models"):
        assert refused(first.get(path), 404) == "There is no session of that name."
    for again in (control(client, "DELETE", f"{SESSIONS}/t17"), client.get(f"{SESSIONS}/t17")):
        refused(again, 404)
    assert balance_of(opened(client, "t17"), KEY) == 100


def test_the_default_session_cannot_be_ended(client: Client) -> None:
    refused(control(client, "DELETE", f"{SESSIONS}/default"), 409)
    assert client.get("/__s/default/livez").status == 200


def test_an_edit_in_work_is_answered_after_its_session_was_ended(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    opened(client, "t17")

    async def exchange() -> Reply:
        headers = {"X-Mock": "latency=500ms"}
        edit = asyncio.create_task(client.sending(good_body(), path=f"/__s/t17{EDIT}", headers=headers))
        await until_held(client, account_id(KEY), edit, "t17")
        ended = await client.sending(b"", method="DELETE", path=f"{SESSIONS}/t17", key=None)
        assert ended.status == 200
        return await edit

    assert client.runner.run(exchange()).status == 200


def test_nothing_is_kept_of_a_session_that_was_ended(client: Client) -> None:
    session = opened(client, "t17", models={"qwen-edit": {"offline": True}})
    assert session.get("/api/v1/models").status == 200
    kept = weakref.ref(tenant_of(client, "t17").session.store)
    assert kept() is not None
    assert control(client, "DELETE", f"{SESSIONS}/t17").status == 200
    gc.collect()
    assert kept() is None


def test_there_may_be_so_many_sessions_and_no_more(client: Client) -> None:
    server_of(client).tenants.most = 3
    for name in "abc":
        opened(client, name)
    told = refused(control(client, "POST", SESSIONS, name="d"), 409)
    assert told == "Session: 3 sessions are open, more are not taken; end some of them"
    assert control(client, "DELETE", f"{SESSIONS}/a").status == 200
    opened(client, "d")


async def ten_thousand_sessions_are_opened() -> None:
    workshop = Workshop(1)
    tenants = Tenants(Settings(), workshop)
    await tenants.open("warm", tenants.plan)
    tracemalloc.start()
    try:
        for _ in range(100):
            await tenants.open(None, tenants.plan)
        bytes_each = tracemalloc.get_traced_memory()[0] / 100
    finally:
        tracemalloc.stop()
    assert bytes_each < 16_000
    begun = time.process_time()
    for _ in range(MOST_SESSIONS - 101):
        await tenants.open(None, tenants.plan)
    assert (time.process_time() - begun) / MOST_SESSIONS < 0.002
    with pytest.raises(TooManySessions):
        await tenants.open(None, tenants.plan)
    workshop.close()


def test_ten_thousand_sessions_are_cheap_to_open_and_small() -> None:
    asyncio.run(ten_thousand_sessions_are_opened())


# --- addresses ---------------------------------------------------------------------------------------------------


def test_every_route_of_the_server_serves_below_a_session_too(client: Client) -> None:
    session = opened(client, "t17")
    assert session.edit(**good()).status == 200  # which is the first request of the journal
    assert control(session, "POST", "/__mock/rules", id="a-rule", then={"seed": 1}).status == 201
    names = {
        "{account}": "mock_ok", "{session}": "t17", "{wallet}": "x", "{id}": "req-000001", "{rule}": "a-rule",
        "{file}": "inspector.js",
    }  # fmt: skip
    for route in server_routes(client):
        path = route
        for name, value in names.items():
            path = path.replace(name, value)
        if path.endswith("/events"):
            continue  # which never ends
        accept = "text/html" if path == "/" else "*/*"  # which sends browsers to the inspector
        assert session.get(path, accept=accept).status not in (404, 500), path


def server_routes(client: Client) -> list[str]:
    app: Any = client.app
    return [route.path_format for route in app.routes]


def test_addresses_in_answers_are_those_of_the_session_and_the_domain_to_sign_is_the_hosts(
    client: Client,
) -> None:
    session = opened(client, "t17")
    purse = Purse(session, SOLANGE)
    bodies = {
        EDIT: session.send(b"{}", key=None),
        f"{EDIT} ": purse.edit(),
        BALANCE + purse.address: session.get(BALANCE + purse.address),
        TRANSACTIONS + purse.address: session.get(TRANSACTIONS + purse.address),
    }
    for path, reply in bodies.items():
        assert reply.status == 402
        header = decode(reply.headers["payment-required"])
        for told in (reply.json, header):
            challenge = told.get("siwxChallenge") or told["extensions"]["sign-in-with-x"]
            assert challenge["info"]["uri"] == f"{HERE}/__s/t17{path.strip()}"
            assert challenge["info"]["domain"] == "127.0.0.1:8402"
        assert header["resource"]["url"] == f"{HERE}/__s/t17{path.strip()}"
        for text in (*texts_of(reply.json), *texts_of(header)):
            assert not text.startswith(f"{HERE}/api"), text


def test_the_document_of_a_session_is_made_out_to_it(client: Client) -> None:
    session = opened(client, "t17", edition="2026-08-22")
    told = session.get("/api/v1/openapi.json").json
    assert told["servers"][0]["url"] == f"{HERE}/__s/t17"
    assert told["info"]["x-edition"] == "2026-08-22"
    domains = set()
    for text in texts_of(told):
        if text.startswith(HERE) and "/api/v1" in text:
            assert text.startswith(f"{HERE}/__s/t17/api/v1")
            domains.add(text)
    assert domains
    assert "127.0.0.1:8402/__s/t17" not in [text for text in texts_of(told) if not text.startswith("http")]


def test_the_links_of_a_session_lead_to_it(client: Client) -> None:
    session = opened(client, "t17")
    links = session.get("/__mock").json["links"]
    assert {"api", "openapi", "self", "config", "sessions", "accounts", "clock", "reset"} <= set(links)
    for link in links.values():
        assert link.startswith("/__s/t17/")
    assert client.get(links["config"]).json == session.get(CONFIG).json
    assert all(link.startswith(("/api", "/__mock")) for link in client.get("/__mock").json["links"].values())


def test_a_server_that_is_mounted_below_a_path_serves_its_sessions_there(client: Client) -> None:
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        below = {"path": "/below" + scope["path"], "raw_path": b"/below" + scope["raw_path"]}
        await client.app({**scope, **below, "root_path": "/below"}, receive, send)

    outer = Client(mounted, client.key, client.runner)
    told = control(outer, "POST", SESSIONS, name="t17").json
    assert told["base_url"] == f"{HERE}/below/__s/t17/api/v1"
    stranger = under(outer, "t17").send(b"{}", key=None)
    assert stranger.json["resource"]["url"] == f"{HERE}/below/__s/t17{EDIT}"
    assert stranger.headers["x-venice-version"]
    assert outer.get("/__mock").json["links"]["clock"] == "/below/__mock/clock"
    assert outer.get("/__s/t18/livez").status == 404


# --- none sees another -------------------------------------------------------------------------------------------


def test_two_hundred_sessions_at_once_never_see_one_another(make_client: MakeClient) -> None:
    client = make_client(wall_clock=Clock(NOW), balance=Decimal(10_000))
    numbers = range(200)

    async def life(number: int) -> None:
        prefix = f"/__s/p{number}"
        config: dict[str, Any] = {
            "engine": "fast",
            "seed": number,
            "limits": "real" if number % 2 else "off",
            "balance": str(number + 1),
            "edition": "2026-08-22" if number % 3 else "2026-06-19",
        }
        made = await send("POST", SESSIONS, name=f"p{number}", config=config)
        assert made.status == 201
        assert (await send("PUT", prefix + CLOCK, frozen_at=iso_time(NOW + 1000 * number))).status == 200
        edits = 1 + number % 3
        for done in range(1, edits + 1):
            reply = await client.sending(good_body(model="qwen-image-2-edit"), path=prefix + EDIT)
            assert reply.status == 200
            assert reply.headers["x-ratelimit-remaining-requests"] == str(20 - done)
            assert reply.headers["x-venice-timestamp"] == iso_time(NOW + 1000 * number)
            assert reply.headers["x-venice-version"] == STAMPS[config["edition"]]
        account = json.loads((await send("GET", f"{prefix}/__mock/accounts/{KEY}/ledger")).body)
        assert len(account["entries"]) == edits
        spent = sum(Decimal(row["amount_usd"]) for row in account["entries"])
        assert Decimal(account["balance_usd"]) == number + 1 + spent
        assert {row["created_at"] for row in account["entries"]} == {iso_time(NOW + 1000 * number)}
        told = json.loads((await send("GET", prefix + CONFIG)).body)
        assert {name: told[name] for name in config} == config

    async def send(method: str, path: str, **body: Any) -> Reply:
        return await client.sending(body_of(**body), method=method, path=path, key=None)

    async def lives() -> None:
        await asyncio.gather(*(life(number) for number in numbers))

    client.runner.run(lives())
    assert len(client.get(SESSIONS).json["sessions"]) == 201
    assert balance_of(client, KEY) == 10_000
    assert client.get(CLOCK).json["frozen_at"] is None
    assert server_of(client).workshop.budget.used == 0


def test_a_sign_in_and_a_payment_can_be_used_once_in_each_session(make_client: MakeClient) -> None:
    client = freeze(make_client(engine="fast", wall_clock=Clock(NOW)))
    header, payment = Purse(client, SOLANGE).sign_in(), Purse(client, SOLANGE).payment()
    for name in ("a", "b", "c"):
        session = freeze(opened(client, name))
        assert hand_in(session, payment).status == 200
        assert hand_in(session, payment).status == 409
        purse = Purse(session, SOLANGE)
        assert purse.edit(header).status == 200
        assert purse.edit(header).json["code"] == "X402_SIGN_IN_NONCE_REUSED"
        assert session.get(f"/__mock/accounts/{purse.address}").json["balance_usd"] == "4.960000"
    assert hand_in(client, payment).status == 200
    assert Purse(client, SOLANGE).edit(header).status == 200


def test_limits_blocks_and_strikes_are_a_sessions_own(make_client: MakeClient) -> None:
    client = make_client(engine="fast", limits="real", wall_clock=Clock())
    one, other = opened(client, "one"), opened(client, "other")
    assert [one.edit(**good()).status for _ in range(21)] == [200] * 20 + [429]
    assert other.edit(**good()).headers["x-ratelimit-remaining-requests"] == "19"
    assert [one.edit(key="mock_flaky_2", **good()).status for _ in range(2)] == [500, 200]
    assert other.edit(key="mock_flaky_2", **good()).status == 500
    x402 = tenant_of(client, "one").contract.edition.x402
    for _ in range(x402.top_up.requests_per_minute):
        assert one.send(path=TOP_UP, key=None).status == 402
    assert one.send(path=TOP_UP, key=None).status == 429
    assert other.send(path=TOP_UP, key=None).status == 402


def test_a_reset_is_a_sessions_own(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    one, other = opened(client, "one"), opened(client, "other")
    for session in (one, other, client):
        assert session.edit(**good()).status == 200
        assert control(session, "POST", CLOCK + "/advance", seconds=60).status == 200
    assert control(one, "POST", RESET).status == 200
    assert [balance_of(each, KEY) for each in (one, other, client)] == [
        100,
        Decimal("99.96"),
        Decimal("99.96"),
    ]
    assert [each.get(CLOCK).json["offset_s"] for each in (one, other, client)] == [0, 60, 60]


def test_sessions_with_one_seed_draw_the_same_pictures_and_ids_of_their_own(make_client: MakeClient) -> None:
    client = make_client(store=IN_PROCESS)  # of a shared store no seed draws ids
    config = {"seed": 3}
    sessions = [opened(client, name, **config) for name in ("a", "b")]
    pictures = [session.edit(**good()).body for session in sessions]
    assert pictures[0] == pictures[1] == make_client(seed=3).edit(**good()).body
    ids = [
        session.get(f"/__mock/accounts/{KEY}/ledger").json["entries"][0]["request_id"] for session in sessions
    ]
    assert ids[0] != ids[1]
    again = opened(make_client(store=IN_PROCESS), "a", **config)
    again.edit(**good())
    assert again.get(f"/__mock/accounts/{KEY}/ledger").json["entries"][0]["request_id"] == ids[0]


# --- a session by its key ----------------------------------------------------------------------------------------


def test_a_key_that_ends_in_a_sessions_name_chooses_it(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    session = opened(client, "t17", edition="2026-08-22")
    reply = client.edit(key="mock_ok__t17", **good())
    assert (reply.status, reply.headers["x-venice-version"]) == (200, STAMPS["2026-08-22"])
    assert balance_of(session, "mock_ok") == balance_of(client, "mock_ok__t17") == Decimal("99.96")
    assert balance_of(client, "mock_ok") == balance_of(client, "mock_ok__default") == 100
    assert (
        client.edit(key="mock_rate_limited__t17", **good()).headers["x-mock-cause"] == "key:mock_rate_limited"
    )
    assert client.edit(key="mock_balance_0__t17", **good()).status == 402


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer  ", "BEARER "])
@pytest.mark.parametrize("key", ["own", "a__b", "a_", "mock_timeout"])
def test_the_session_is_what_follows_the_last_two_underscores(client: Client, scheme: str, key: str) -> None:
    session = opened(client, "t17", balance="3")
    headers = {"Authorization": f"{scheme}{key}__t17"}
    reply = client.send(
        method="GET", path="/api/v1/billing/balance", headers=headers, key=None, content_type=None
    )
    assert reply.json["balances"]["usd"] == 3
    assert accounts_in(client, "t17") == {account_id(key)}
    assert balance_of(session, key) == 3


@pytest.mark.parametrize(
    "key", ["team__t18", "team__T17", "team__", "team_t17", "team__t17_", "__t17", "t17"]
)
def test_a_key_that_names_no_session_is_an_ordinary_word(client: Client, key: str) -> None:
    opened(client, "t17", balance="3")
    assert balance_of(client, key) == 100
    assert accounts_in(client) == {account_id(key)}


def test_a_key_that_names_a_session_which_is_not_open_is_told_so(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    reply = client.edit(key="my-key__t99", **good())
    assert reply.status == 200
    assert reply.headers["x-mock-hint"].startswith("There is no session t99: ")
    reply = client.edit(key="mock_ok__t18", **good())
    assert reply.status == 401
    hint = reply.headers["x-mock-hint"]
    assert hint.startswith("There is no session t18: ")
    assert "No such magic key. Nearest: mock_ok" in hint
    assert "t99" not in client.get("/__mock/requests").body.decode()  # it may be the end of a secret


def test_who_names_no_session_or_one_that_is_open_is_told_nothing(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    opened(client, "t17")
    for key in ("my-key", "my-key__t17", "my-key__T18", "my_key"):
        assert "x-mock-hint" not in client.edit(key=key, **good()).headers
    assert "x-mock-hint" not in make_client(pure=True).edit(key="my-key__t99", **good()).headers


def test_a_listed_key_with_two_underscores_is_told_nothing(make_client: MakeClient, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"team__a": {}}), "utf-8")
    reply = make_client(engine="fast", keys=file).edit(key="team__a", **good())
    assert (reply.status, "x-mock-hint" in reply.headers) == (200, False)


def test_below_a_sessions_path_no_key_chooses_another(client: Client) -> None:
    one, _ = opened(client, "one", balance="1"), opened(client, "other", balance="2")
    assert balance_of(one, "team__other") == 1
    assert accounts_in(client, "one") == {account_id("team__other")}


def test_a_key_chooses_nothing_on_the_control_plane(client: Client) -> None:
    opened(client, "t17")
    headers = {"authorization": "Bearer mock_ok__t17"}
    assert client.get("/__mock", **headers).json["session"] == "default"
    assert client.get("/api/v1/models", **headers).status == 200


def test_a_key_that_chose_a_session_which_ended_is_an_ordinary_word_again(client: Client) -> None:
    opened(client, "t17", balance="3")
    assert balance_of(client, "team__t17") == 3
    assert control(client, "DELETE", f"{SESSIONS}/t17").status == 200
    assert balance_of(client, "team__t17") == 100
