"""A session's config: what each member does when it is set, changed and reset, and that nothing else moves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import EDIT, TEST_EDITION, Clock, balance_of, good, good_body, until_held
from sessions import CONFIG, RESET, SESSIONS, changed, opened, refused, under
from venice_mock.accounts.keys import account_id
from venice_mock.app import create_app
from venice_mock.contract import load_edition
from venice_mock.control.config import INLINE, SETTINGS
from venice_mock.settings import Settings
from venice_mock.settings_types import IN_PROCESS
from wallets import ALICE, BOB, CLOCK, SOLANGE, TOKEN, Purse, control, hand_in, offers_of, wallet_of

KEY = "a-test-key"
FEES = wallet_of("venice-mock test: a payer of fees", "solana")
PARTS = ["accounts", "limits"]
NO_WALLETS: dict[str, Any] = {"smart_wallets": {}, "usdc_onchain": {}, "settlements": {}, "balances_usd": {}}
FRESH = {
    "edition": "2026-06-19", "behavior": "documented", "default_model": None, "pure": False, "limits": "off",
    "prompt_magic": False,
    "balance": "100", "engine": "paint", "caption": True, "seed": None, "fetch": ["loopback"], "latency": "0s",
    "journal_bytes": 67_108_864, "body_timeout": "30s", "trust_proxy": False,
    "pay_to_base": None, "pay_to_solana": None, "fee_payer": None,
    "keys": None, "models": {}, "wallets": NO_WALLETS,
}  # fmt: skip


def edit(client: Client, **fields: Any) -> Reply:
    return client.edit(**good(**fields))


@pytest.fixture(scope="module")
def reference() -> Iterator[Callable[..., bytes]]:
    """The picture of a server that was started with these settings."""
    made: list[Client] = []

    def picture(**chosen: Any) -> bytes:
        made.append(Client(create_app(Settings(**chosen))))
        return edit(made[-1]).body

    yield picture
    for client in made:
        client.close()


# --- what each member does ---------------------------------------------------------------------------------------


def is_like(client: Client, reference: Callable[..., bytes], **chosen: Any) -> bool:
    return edit(client).body == reference(**chosen)


def patience(client: Client) -> Any:
    """The status of an edit whose body does not arrive, or None while it is waited for."""

    async def ask() -> Any:
        never, sent = asyncio.Event(), list[Any]()

        async def receive() -> Any:
            await never.wait()

        async def send(message: Any) -> None:
            sent.append(message)

        said = {"host": "localhost", "content-type": "application/json", "authorization": "Bearer k"}
        scope = {
            "type": "http", "method": "POST", "path": EDIT, "raw_path": EDIT.encode(), "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in said.items()],
            "scheme": "http", "server": ("localhost", 80), "root_path": "",
        }  # fmt: skip
        try:
            async with asyncio.timeout(0.3):
                await client.app(scope, receive, send)
        except TimeoutError:
            return None
        return sent[0]["status"]

    return client.runner.run(ask())


def is_written_down(client: Client) -> bool:
    assert edit(client).status == 200
    return bool(client.get("/__mock/requests", **{"x-mock-token": TOKEN}).json["requests"])


def is_slow(client: Client) -> bool:
    begun = time.perf_counter()
    assert edit(client, prompt="slow?").status == 200
    return time.perf_counter() - begun >= 1


def address_told(client: Client) -> Any:
    stranger = client.send(b"{}", headers={"X-Forwarded-Host": "edits.example"}, key=None)
    return stranger.json["resource"]["url"]


def fetched(client: Client) -> Any:
    return edit(client, image="http://127.0.0.1:1/a.png").json["issues"][0]["message"]


HOME, LATER = load_edition("2026-06-19"), load_edition("2026-08-22")
# A member: its value, what is looked at, and what that is without and with the value.
EFFECTS: dict[str, tuple[Any, Callable[[Client, Any], Any], Any, Any]] = {
    "edition": (
        "2026-08-22",
        lambda c, _: c.get("/api/v1/models").headers["x-venice-version"],
        HOME.stamp,
        LATER.stamp,
    ),
    "behavior": (
        "observed",
        lambda c, _: edit(c).headers["x-venice-model-id"],
        "qwen-edit",
        "firered-image-edit",
    ),
    "default_model": (
        "flux-2-max-edit",
        lambda c, _: edit(c).headers["x-venice-model-id"],
        "qwen-edit",
        "flux-2-max-edit",
    ),
    "pure": (True, lambda c, _: "x-mock-rule" in edit(c, prompt="").headers, True, False),
    "prompt_magic": (True, lambda c, _: edit(c, prompt="[[mock:offline]]").status, 200, 503),
    "limits": ("real", lambda c, _: [edit(c).status for _ in range(21)][-1], 200, 429),
    "balance": ("2.50", lambda c, _: balance_of(c, KEY), Decimal(100), Decimal("2.5")),
    "engine": ("fast", lambda c, like: is_like(c, like, engine="fast"), False, True),
    "caption": (False, lambda c, like: is_like(c, like, caption=False), False, True),
    "seed": (7, lambda c, like: is_like(c, like, seed=7), False, True),
    "fetch": (
        "none",
        lambda c, _: fetched(c).startswith(HOME.messages.image_url_refused.partition("{")[0]),
        False,
        True,
    ),
    "latency": ("1s..1.1s", lambda c, _: is_slow(c), False, True),
    "journal_bytes": (0, lambda c, _: is_written_down(c), True, False),
    "body_timeout": ("20ms", lambda c, _: patience(c), None, 400),
    "trust_proxy": (
        True,
        lambda c, _: address_told(c),
        f"http://127.0.0.1:8402/__s/t17{EDIT}",
        f"http://edits.example/__s/t17{EDIT}",
    ),
    "pay_to_base": (BOB.address, lambda c, _: offers_of(c)[0]["payTo"] == BOB.address, False, True),
    "pay_to_solana": (SOLANGE.address, lambda c, _: offers_of(c)[1]["payTo"] == SOLANGE.address, False, True),
    "fee_payer": (
        FEES.address,
        lambda c, _: offers_of(c)[1]["extra"]["feePayer"] == FEES.address,
        False,
        True,
    ),
    "keys": ({"team-a": {}}, lambda c, _: edit(c).status, 200, 401),
    "wallets": ({"balances_usd": {"*": "5"}}, lambda c, _: Purse(c, SOLANGE).balance(), 0, 5),
    "models": ({"qwen-edit": {"offline": True}}, lambda c, _: edit(c).status, 200, 503),
}


def test_every_member_is_in_the_table_of_effects() -> None:
    assert set(EFFECTS) == {*SETTINGS, *INLINE} == set(FRESH)


@pytest.mark.parametrize("member", EFFECTS)
def test_a_member_works_from_the_start_by_a_change_and_no_more_after_a_reset(
    make_client: MakeClient, reference: Callable[..., bytes], member: str
) -> None:
    value, looked_at, without, with_it = EFFECTS[member]

    def look(client: Client) -> Any:
        assert control(client, "POST", RESET, only=[*PARTS, "nonces"]).status == 200
        return looked_at(client, reference)

    client = make_client(control_token=TOKEN)  # trust_proxy wants one
    other = opened(client, "other")
    session = opened(client, "t17", **{member: value})
    assert look(session) == with_it
    assert control(client, "DELETE", f"{SESSIONS}/t17").status == 200
    session = opened(client, "t17")
    assert look(session) == without
    told = changed(session, **{member: value})
    assert look(session) == with_it
    assert changed(session) == told != changed(other)
    assert control(session, "POST", RESET, only=["config"]).json == {"reset": ["config"]}
    assert changed(session) == changed(other) == FRESH
    assert look(session) == without


def test_the_default_sessions_config_is_what_the_server_was_started_with(client: Client) -> None:
    assert client.get(CONFIG).json == FRESH


def test_a_session_inherits_what_it_does_not_say(make_client: MakeClient, tmp_path: Path) -> None:
    keys, wallets = tmp_path / "keys.json", tmp_path / "wallets.json"
    keys.write_text('{"team-of-twelve": {"balance_usd": "7"}}', "utf-8")
    wallets.write_text(f'{{"balances_usd": {{"{SOLANGE.address}": "3"}}}}', "utf-8")
    client = make_client(seed=4, limits="real", pure=True, keys=keys, wallets=wallets, balance=Decimal(9))
    told = opened(client, "t17", balance="8").get(CONFIG).json
    assert told == {
        **FRESH,
        "seed": 4,
        "limits": "real",
        "pure": True,
        "balance": "8",
        "keys": [
            {
                "account": account_id("team-of-twelve"),
                "last4": "elve",
                "balance_usd": "7",
                "spend_limit_usd": None,
                "status": "active",
            }
        ],
        "wallets": {**NO_WALLETS, "balances_usd": {SOLANGE.address: "3"}},
    }
    session = under(client, "t17")
    assert [balance_of(session, key) for key in ("team-of-twelve", "mock_ok")] == [7, 8]
    assert edit(session).status == 401
    assert Purse(session, SOLANGE).balance() == 3


def test_a_change_of_the_default_session_is_not_inherited(client: Client) -> None:
    changed(client, balance="5", edition="2026-08-22")
    assert opened(client, "t17").get(CONFIG).json == FRESH
    assert client.get("/__mock").json["edition"] == "2026-08-22"


# --- changing ----------------------------------------------------------------------------------------------------


def test_a_change_keeps_accounts_ledger_nonces_limits_and_clock(make_client: MakeClient) -> None:
    client = make_client(engine="fast", wall_clock=Clock())
    session = opened(client, "t17")
    purse = Purse(session, SOLANGE)
    header, payment = purse.sign_in(), purse.payment()
    assert hand_in(session, payment).status == 200
    assert purse.edit(header).status == 200
    assert edit(session).status == 200
    assert control(session, "POST", CLOCK + "/advance", seconds=5).status == 200
    changed(
        session, edition="2026-08-22", balance="1", seed=9, limits="real", keys={KEY: {"balance_usd": "2"}}
    )
    assert session.get(CLOCK).json["offset_s"] == 5
    assert balance_of(session, KEY) == Decimal("99.96")
    assert len(session.get(f"/__mock/accounts/{KEY}/ledger").json["entries"]) == 1
    assert purse.edit(header).json["code"] == "X402_SIGN_IN_NONCE_REUSED"
    assert hand_in(session, payment).status == 409
    assert edit(session, model="qwen-image-2-edit").headers["x-ratelimit-remaining-requests"] == "19"
    assert control(session, "POST", RESET, only=["accounts"]).status == 200
    assert balance_of(session, KEY) == 2  # opened anew, by what is said now


def test_an_edit_that_is_in_work_ends_under_the_config_it_began_with(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    session = opened(client, "t17")

    async def exchange() -> Reply:
        headers = {"X-Mock": "latency=500ms"}
        slow = asyncio.create_task(session.sending(good_body(), headers=headers))
        await until_held(client, account_id(KEY), slow, "t17")
        change = await session.sending(
            b'{"edition": "2026-08-22", "keys": {}}', method="PATCH", path=CONFIG, key=None
        )
        assert change.status == 200
        return await slow

    reply = client.runner.run(exchange())
    assert (reply.status, reply.headers["x-venice-version"]) == (200, HOME.stamp)
    assert session.get(f"/__mock/accounts/{KEY}").status == 404
    changed(session, keys=None)
    assert balance_of(session, KEY) == Decimal("99.96")


def test_changes_add_up_and_an_empty_one_changes_nothing(client: Client) -> None:
    session = opened(client, "t17", seed=1)
    changed(session, balance=5)
    changed(session, latency="200ms..1.5s", fetch=["public", "example.org:8080"])
    expected = {
        **FRESH,
        "seed": 1,
        "balance": "5",
        "latency": "0.2s..1.5s",
        "fetch": ["public", "example.org:8080"],
    }
    assert changed(session) == session.get(CONFIG).json == expected
    assert changed(session, seed=None)["seed"] is None


def test_entries_of_keys_and_wallets_are_merged_and_null_takes_one_away(client: Client) -> None:
    session = opened(client, "t17", keys={"team-a": {"balance_usd": "5.50"}})
    changed(session, keys={"team-b": {"status": "disabled"}, "team-a": {"spend_limit_usd": "1"}})
    assert [
        (key["account"], key["balance_usd"], key["spend_limit_usd"], key["status"])
        for key in session.get(CONFIG).json["keys"]
    ] == [(account_id("team-a"), "5.50", "1", "active"), (account_id("team-b"), "100", None, "disabled")]
    assert [edit_as(session, key) for key in ("team-a", "team-b", "team-c", "mock_ok")] == [
        200,
        403,
        401,
        200,
    ]
    assert len(changed(session, keys={"team-b": None})["keys"]) == 1
    assert [edit_as(session, key) for key in ("team-a", "team-b")] == [200, 401]
    assert changed(session, keys={"team-a": None})["keys"] == []
    assert [edit_as(session, key) for key in ("team-a", "mock_ok")] == [401, 200]
    assert changed(session, keys=None)["keys"] is None
    assert [edit_as(session, key) for key in ("team-a", "team-c")] == [200, 200]
    wallets = changed(
        session, wallets={"balances_usd": {"*": 1, ALICE.address: "2.5"}, "usdc_onchain": {"*": 5}}
    )
    assert wallets["wallets"] == {
        **NO_WALLETS,
        "balances_usd": {"*": "1", ALICE.address: "2.5"},
        "usdc_onchain": {"*": 5},
    }
    wallets = changed(session, wallets={"balances_usd": {"*": None}, "usdc_onchain": None})
    assert wallets["wallets"] == {**NO_WALLETS, "balances_usd": {ALICE.address: "2.5"}}
    assert changed(session, wallets=None)["wallets"] == NO_WALLETS


def edit_as(client: Client, key: str) -> int:
    return client.edit(key=key, **good()).status


def test_a_key_that_was_shut_out_by_a_change_is_shut_out_though_it_has_an_account(client: Client) -> None:
    assert edit(client).status == 200
    changed(client, keys={"team-a": {}})
    reply = edit(client)
    assert (reply.status, "session's config" in reply.headers["x-mock-hint"]) == (401, True)
    refused(client.get(f"/__mock/accounts/{KEY}"), 404)
    changed(client, keys=None)
    assert balance_of(client, KEY) == Decimal("99.96")


def test_simulated_wallets_can_be_given_inline(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    failing = opened(client, "failing", wallets={"settlements": {SOLANGE.address: "SETTLEMENT_FAILED"}})
    assert Purse(failing, SOLANGE).top_up().json["error"] == "SETTLEMENT_FAILED"
    poor = opened(client, "poor", wallets={"usdc_onchain": {"*": 1}})
    assert Purse(poor, SOLANGE).top_up().json["details"] == {"reason": "insufficient_funds"}
    assert Purse(opened(client, "rich"), SOLANGE).top_up().status == 200


def test_two_editions_are_served_side_by_side(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    home, later = opened(client, "a", edition="2026-06-19"), opened(client, "b", edition="2026-08-22")
    assert edit(home, enhance_prompt=True).status == 400
    assert "x-venice-enhanced-prompt" in edit(later, enhance_prompt=True).headers
    listed = [{m["id"] for m in each.get("/api/v1/models").json["data"]} for each in (home, later)]
    assert (len(listed[0]), len(listed[1])) == (len(HOME.models), len(LATER.models))
    assert home.get("/__mock/contract.json").json["edition"] == "2026-06-19"
    assert later.get("/__mock/contract.json").json["edition"] == "2026-08-22"


def test_a_server_of_an_edition_file_lends_it_to_its_sessions_by_name(make_client: MakeClient) -> None:
    client = make_client(edition=str(TEST_EDITION), engine="fast")
    told = client.get(CONFIG).json
    assert told["edition"] == "test-edition"
    session = opened(client, "t17", edition="2026-08-22")
    assert edit(session, model="qwen-image-2-edit").status == 200
    assert changed(session, edition="test-edition") == told
    assert edit(session).status == 200


def test_a_reset_without_parts_begins_the_stream_of_ids_anew(make_client: MakeClient) -> None:
    client = make_client(engine="fast", store=IN_PROCESS)  # of a shared store no seed draws ids
    session = opened(client, "t17", seed=5)
    nonces = []
    for _ in range(2):
        stranger = session.send(b"{}", key=None).json
        nonces.append(stranger["extensions"]["sign-in-with-x"]["info"]["nonce"])
        changed(session, balance="1")
        again = session.send(b"{}", key=None).json["extensions"]["sign-in-with-x"]["info"]["nonce"]
        assert again != nonces[0]  # a change does not begin it anew
        assert control(session, "POST", RESET).status == 200
    assert nonces[0] == nonces[1]


# --- telling -----------------------------------------------------------------------------------------------------

CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "edition": st.sampled_from(["2026-06-19", "2026-08-22"]),
        "behavior": st.sampled_from(["documented", "observed"]),
        "pure": st.booleans(),
        "prompt_magic": st.booleans(),
        "limits": st.sampled_from(["off", "real"]),
        "balance": st.one_of(
            st.integers(0, 10**9 - 1),
            st.decimals(0, 10**6, places=6).map(lambda usd: f"{usd:f}"),
            st.integers(0, 10**12)
            .map(lambda millionths: millionths / 10**6)
            .filter(lambda usd: usd >= 0.0001),
        ),
        "caption": st.booleans(),
        "seed": st.none() | st.integers(0, 2**63 - 1),
        "fetch": st.sampled_from(["none", "loopback", ["public", "loopback"], "a.example,b.example:80"]),
        "latency": st.sampled_from(["0", "1ms", "0.001s", "200ms..2s", "0.0015s", "600s"]),
        "journal_bytes": st.integers(0, 2**40),
        "body_timeout": st.integers(1, 600_000).map(lambda ms: f"{ms}ms"),
        "pay_to_base": st.sampled_from([None, BOB.address, ALICE.address]),
        "models": st.sampled_from([{}, {"qwen-image-2-edit": {"offline": True, "deprecation": None}}]),
        "wallets": st.sampled_from([{}, {"usdc_onchain": {"*": 5}}, {"balances_usd": {BOB.address: "1e2"}}]),
    },
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    made = Client(create_app(Settings()))
    yield made
    made.close()


@settings(max_examples=60, deadline=None)
@given(CONFIGS)
def test_what_is_told_can_be_said_again_and_then_is_told_the_same(shared: Client, config: Any) -> None:
    assert control(shared, "POST", RESET, only=["config"]).status == 200
    told = changed(shared, **config)
    said_again = {name: value for name, value in told.items() if name != "keys"}
    assert changed(shared, **said_again) == told
    assert control(shared, "POST", RESET, only=["config"]).status == 200
    assert changed(shared, **said_again) == told
