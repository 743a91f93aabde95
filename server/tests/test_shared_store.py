"""Servers that share a store are one server to their clients; and what they answer while the store is lost."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, cast

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from redis_server import RedisServer, running_redis
from rulekit import EDIT, account_of, balance_of, good, ledger_of, server_of
from sessions import CONFIG, RESET, SESSIONS, Pair, changed, on_one_loop, opened, refused, under
from test_metrics import samples_of, value
from venice_mock.state.redis_link import RedisLink
from venice_mock.state.redis_sessions import RedisSessions
from venice_mock.state.sharing import Told
from wallets import ALICE, CLOCK, Purse, control, freeze, hand_in

KEY = "a-test-key"


@pytest.fixture
def pair(make_client: MakeClient, redis_server: RedisServer) -> Pair:
    """Two servers on one store."""
    url = redis_server.url(secrets.token_hex(8))
    return make_client(engine="fast", store=url), make_client(engine="fast", store=url)


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with running_redis() as server:
        yield server


# --- one server --------------------------------------------------------------------------------------------------


def test_money_that_is_spent_at_one_is_spent_at_the_other(pair: Pair) -> None:
    one, two = pair
    for client in (one, two, one):
        assert client.edit(**good()).status == 200
    assert [balance_of(client, KEY) for client in pair] == [Decimal("99.88")] * 2
    assert ledger_of(one, KEY) == ledger_of(two, KEY)
    assert len(ledger_of(one, KEY)) == 3


def test_a_session_is_open_at_both_with_its_config_until_it_is_ended_at_either(pair: Pair) -> None:
    one, two = pair
    first = opened(one, "t17", balance="7", behavior="observed")
    second = under(two, "t17")
    assert second.get(CONFIG).json == first.get(CONFIG).json
    assert balance_of(second, KEY) == 7
    by_key = two.send(method="GET", path="/api/v1/billing/balance", content_type=None, key=f"{KEY}__t17")
    assert by_key.json["balances"]["usd"] == 7
    assert [each["id"] for each in two.get(SESSIONS).json["sessions"]] == ["default", "t17"]
    assert refused(control(two, "POST", SESSIONS, name="t17"), 409)
    assert control(two, "DELETE", f"{SESSIONS}/t17").status == 200
    for client in (first, second):
        assert client.get("/livez").status == 404
    assert refused(control(one, "DELETE", f"{SESSIONS}/t17"), 404)
    assert [each["id"] for each in one.get(SESSIONS).json["sessions"]] == ["default"]


def test_a_name_that_is_used_again_finds_nothing_of_the_session_before(pair: Pair) -> None:
    one, two = pair
    first = opened(one, "t17")
    second = under(two, "t17")
    assert [client.edit(**good()).status for client in (first, second)] == [200, 200]
    assert control(one, "DELETE", f"{SESSIONS}/t17").status == 200
    opened(one, "t17", balance="3")
    assert balance_of(second, KEY) == 3


@pytest.mark.parametrize("session", ["default", "t17"])
def test_a_config_that_is_changed_at_one_holds_at_the_other_at_once(pair: Pair, session: str) -> None:
    one, two = pair
    if session != "default":
        opened(one, session)
        one, two = under(one, session), under(two, session)
    for number in range(3):
        changed(one, balance=f"{number + 1}")
        changed(two, caption=False)  # over what the other one said, not instead of it
        told = [client.get(CONFIG).json for client in (one, two)]
        assert told[0] == told[1]
        assert (told[0]["balance"], told[0]["caption"]) == (f"{number + 1}", False)
    assert control(two, "POST", RESET, only=["config"]).status == 200
    assert [client.get(CONFIG).json["balance"] for client in (one, two)] == ["100", "100"]


def test_keys_that_a_session_was_given_open_it_at_both_and_are_not_stored(
    pair: Pair, redis_server: RedisServer
) -> None:
    one, two = pair
    opened(one, "t17", keys={"one-long-secret-word": {"balance_usd": 3}})
    for client in (one, two):
        session = under(client, "t17")
        assert balance_of(session, "one-long-secret-word") == 3
        assert session.edit(**good(), key="another-word").status == 401
    found, namespace = 0, server_of(one).tenants.plan.settings.store.rpartition("=")[2]
    for key in redis_server.names(namespace):
        asked = ("GET {}", "HGETALL {}", "LRANGE {} 0 -1", "SMEMBERS {}", "ZRANGE {} 0 -1")
        held = b"".join(redis_server.ask(command.format(key)) for command in asked)
        assert b"one-long-secret-word" not in held + key.encode()
        found += held.count(b'"keys"')
    assert found, "the config was not looked at"


def test_a_clock_that_is_set_at_one_is_the_others_too(pair: Pair) -> None:
    one, two = pair
    freeze(one)
    assert control(two, "POST", CLOCK + "/advance", seconds=60).status == 200
    assert one.get(CLOCK).json == two.get(CLOCK).json
    assert control(one, "PUT", CLOCK, frozen_at=None).status == 200
    assert two.get(CLOCK).json["frozen_at"] is None


def test_what_is_used_up_at_one_is_used_up_at_the_other(pair: Pair) -> None:
    one, two = pair
    freeze(one)
    purse = Purse(one, ALICE)
    payment = purse.payment(5_000_000)
    assert [hand_in(client, payment).status for client in (one, two)] == [200, 409]
    header = purse.sign_in()
    other = Purse(two, ALICE)
    assert [purse.edit(header).status, other.edit(header).status] == [200, 401]


def test_limits_are_counted_over_both(make_client: MakeClient, redis_server: RedisServer) -> None:
    url = redis_server.url(secrets.token_hex(8))
    one, two = (make_client(engine="fast", store=url, limits="real") for _ in range(2))
    freeze(one)
    limit = server_of(one).contract.edition.limits.image_requests_per_minute
    seen = [(one if turn % 2 else two).edit(**good()).status for turn in range(limit + 2)]
    assert seen == [200] * limit + [429] * 2


def test_state_goes_from_a_server_with_one_store_to_one_with_the_other(
    make_client: MakeClient, pair: Pair
) -> None:
    one, two = pair
    memory = freeze(make_client(engine="fast", balance=Decimal("0.34")))
    assert [memory.edit(**good(prompt=f"{turn}")).status for turn in range(3)] == [200] * 3
    exported = memory.get("/__mock/state").json
    assert control(one, "PUT", "/__mock/state", **exported).status == 200
    again = two.get("/__mock/state").json
    assert {name: again[name] for name in exported if name != "exported_at"} == {
        name: value for name, value in exported.items() if name != "exported_at"
    }
    assert two.edit(**good()).status == 200
    assert balance_of(one, KEY) == Decimal("0.18")


def test_servers_of_different_namespaces_know_nothing_of_each_other(
    make_client: MakeClient, redis_server: RedisServer
) -> None:
    one, two = (make_client(engine="fast", store=redis_server.url(secrets.token_hex(8))) for _ in range(2))
    opened(one, "t17")
    assert one.edit(**good()).status == 200
    assert balance_of(two, KEY) == 100
    assert two.get("/__s/t17/livez").status == 404


def test_a_server_that_is_started_later_finds_what_was_there(
    make_client: MakeClient, redis_server: RedisServer
) -> None:
    url = redis_server.url(secrets.token_hex(8))
    one = make_client(engine="fast", store=url)
    opened(one, "t17", balance="7")
    assert one.edit(**good()).status == 200
    later = make_client(engine="fast", store=url)
    assert balance_of(later, KEY) == Decimal("99.96")
    assert balance_of(under(later, "t17"), KEY) == 7


def test_two_servers_of_one_seed_draw_different_ids(
    make_client: MakeClient, redis_server: RedisServer
) -> None:
    url = redis_server.url(secrets.token_hex(8))
    drawn = set()
    for client in (make_client(engine="fast", store=url, seed=7) for _ in range(2)):
        reply = client.edit(**good())
        drawn |= {reply.headers["x-mock-request-id"], ledger_of(client, KEY)[0].request_id}
        drawn.add(control(client, "POST", SESSIONS).json["id"])
    assert len(drawn) == 6


def test_whichever_is_asked_tells_the_counts_of_both_also_of_one_that_has_ended(
    pair: Pair, make_client: MakeClient
) -> None:
    one, two = pair
    for client in (one, two, two):
        assert client.edit(**good()).status == 200
    assert two.edit(**good(resolution="9K")).status == 400
    two.runner.run(server_of(two).counts.tell())
    edits = {"method": "POST", "path": EDIT}
    later = make_client(engine="fast", store=server_of(one).tenants.plan.settings.store)
    one.runner.run(server_of(one).counts.tell())
    for client in (one, later):
        assert value(client, "requests_total", status="200", **edits) == 3
        assert value(client, "requests_total", status="400", **edits) == 1
        assert value(client, "edit_seconds_count", status="2xx") == 3
        assert value(client, "charged_usd_total") == pytest.approx(0.12)
        refusals = [
            count for (name, _), count in samples_of(client.get("/metrics")).items() if "refus" in name
        ]
        assert sum(refusals) == 1


def test_counts_are_told_by_themselves_a_moment_later(pair: Pair) -> None:
    with on_one_loop(pair) as (one, two):
        assert two.edit(**good()).status == 200
        end = time.monotonic() + 20
        while one.runner.run(server_of(one).counts.all())[0].charged != Decimal("0.04"):
            assert time.monotonic() < end


def test_what_one_scrape_told_no_later_one_at_another_falls_behind(pair: Pair) -> None:
    told: dict[str, float] = {}
    for turn in range(8):
        client = pair[turn % 2]
        assert client.edit(**good(prompt=f"picture {turn // 3}")).status == 200
        now = grown(client)  # nothing but this tells the other one of it
        assert {name for name in told if now[name] < told[name]} == set()
        told = now
    assert told["cache_hits_total"] + told["cache_misses_total"] == 8
    assert told["edit_seconds_count{status=2xx}"] == 8
    assert told["charged_usd_total"] == pytest.approx(0.32)


def grown(client: Client) -> dict[str, float]:
    """All that may only grow."""
    return {
        name + "".join(f"{{{label}={text}}}" for label, text in sorted(labels)): count
        for (name, labels), count in samples_of(client.get("/metrics")).items()
        if name.endswith("_total") or name.startswith("edit_seconds")
    }


def test_what_is_kept_is_told_of_all_together_and_the_start_is_that_of_the_first(
    make_client: MakeClient, redis_server: RedisServer
) -> None:
    url = redis_server.url(secrets.token_hex(8))
    one = make_client(engine="fast", store=url, wall_clock=lambda: 2_000_000.0)
    two = make_client(engine="fast", store=url, wall_clock=lambda: 1_000_000.5)
    for client in (one, two, two):
        assert client.edit(**good()).status == 200
    opened(two, "t17")
    kept = [client.get("/__mock").json["cache"]["bytes"] for client in (one, two)]
    journals = [server_of(client).tenants.journal_bytes for client in (one, two)]
    assert min(*kept, *journals) > 0
    two.get("/metrics")
    for client in (one, two):
        assert value(client, "cache_bytes") == sum(kept)
        assert value(client, "journal_bytes") == sum(journals)
        counts = [value(client, name) for name in ("processes", "sessions", "cache_entries")]
        assert counts == [2, 2, 2]
        assert value(client, "start_time_seconds") == 1_000_000.5


def test_a_process_without_requests_is_counted_until_it_ends_and_what_it_counted_stays(pair: Pair) -> None:
    def reached(number: int) -> None:
        end = time.monotonic() + 20
        while value(one, "processes") != number:
            assert time.monotonic() < end

    with on_one_loop(pair) as (one, two):
        server, run = server_of(two), one.runner.run
        living = server.lifespan(cast(Any, two.app))
        run(living.__aenter__())
        reached(2)
        assert two.edit(**good()).status == 200
        run(living.__aexit__(None, None, None))
        reached(1)
        assert value(one, "cache_entries") == 0
        assert value(one, "cache_misses_total") == 1
        assert value(one, "charged_usd_total") == pytest.approx(0.04)


def test_counts_that_arrive_late_change_nothing(redis_server: RedisServer) -> None:
    async def scenario() -> Told:
        sessions = RedisSessions(RedisLink(redis_server.url(secrets.token_hex(8))))
        for number, counted in ((1, "one"), (11, "eleven"), (2, "two"), (11, "again")):
            await sessions.tell_counts("a", number, counted, f"{number}", silence_s=60)
        await sessions.tell_counts("b", 1, "b|c", "gone", silence_s=0.001)
        told = await sessions.counts()
        while "gone" in {present for _, _, present in told.processes}:
            told = await sessions.counts()
        await sessions.close()
        return told

    told = asyncio.run(scenario())
    assert sorted(told.processes) == [("a", "eleven", "11"), ("b", "b|c", "")]


# --- the store is lost -------------------------------------------------------------------------------------------

Lose = Callable[[RedisServer], tuple[Callable[[], None], Callable[[], None]]]
LOSSES: dict[str, Lose] = {
    "ended": lambda server: (server.kill, server.start),
    "silent": lambda server: (server.hang, server.go_on),
}


def is_a_clean_503(reply: Reply) -> None:
    assert reply.status == 503
    assert list(reply.json) == ["error"]
    assert reply.headers["retry-after"] == "1"


@pytest.mark.parametrize("how", sorted(LOSSES))
def test_while_the_store_is_lost_requests_are_refused_in_bounded_time_and_served_again_afterwards(
    make_client: MakeClient, own_server: RedisServer, how: str
) -> None:
    lose, find = LOSSES[how](own_server)
    client = make_client(engine="fast", store=own_server.url())
    assert client.edit(**good()).status == 200
    assert client.get("/readyz").status == 200
    lose()
    asks: list[Callable[[], Reply]] = [
        lambda: client.edit(**good()),
        lambda: client.get(CLOCK),
        lambda: client.get(SESSIONS),
        lambda: client.get("/__s/t17/livez"),
        lambda: client.get("/readyz"),
        lambda: client.get("/metrics"),  # where each process would tell of another part of the whole
    ]
    for ask in asks:
        begun = time.monotonic()
        is_a_clean_503(ask())
        assert time.monotonic() - begun < 7
    stamped = client.edit(**good())
    is_a_clean_503(stamped)
    names = server_of(client).contract.edition.headers
    assert {names["version"].lower(), names["timestamp"].lower()} <= stamped.headers.keys()
    assert client.get("/livez").status == 200
    find()
    end = time.monotonic() + 10
    while (reply := client.edit(**good())).status != 200:
        is_a_clean_503(reply)
        assert time.monotonic() < end
    booked = ledger_of(client, KEY)
    assert len({row.request_id for row in booked}) == len(booked)
    assert account_of(client, KEY).held == 0
    assert balance_of(client, KEY) == 100 - len(booked) * Decimal("0.04")
    assert len(booked) == 2


@pytest.mark.parametrize("moment", ["hold", "settle", "after"])
def test_an_edit_during_which_the_store_is_lost_is_charged_at_most_once(
    make_client: MakeClient, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    client = make_client(engine="fast", store=own_server.url())
    assert client.edit(**good()).status == 200
    store = server_of(client).session.store
    verb = "hold" if moment == "hold" else "settle"
    original = getattr(type(store), verb)

    async def losing(self: Any, *said: Any, **more: Any) -> Any:
        if moment != "after":
            own_server.kill()
        done = await original(self, *said, **more)
        if moment == "after":
            own_server.kill()
        return done

    with monkeypatch.context() as patched:
        patched.setattr(type(store), verb, losing)
        reply = client.edit(**good())
    if moment == "after":  # what is paid for is delivered
        assert reply.status == 200
        assert reply.headers[server_of(client).contract.edition.headers["balance_usd"].lower()] == "99.92"
    else:
        is_a_clean_503(reply)
    own_server.start()
    end = time.monotonic() + 10
    while client.get("/readyz").status != 200:
        assert time.monotonic() < end
    assert len(ledger_of(client, KEY)) == (2 if moment == "after" else 1)
    assert client.edit(**good()).status == 200


def test_a_server_may_be_started_before_its_store(make_client: MakeClient, own_server: RedisServer) -> None:
    own_server.kill()
    client = make_client(engine="fast", store=own_server.url())
    assert client.get("/livez").status == 200
    is_a_clean_503(client.get("/readyz"))
    is_a_clean_503(client.send(b"", path=EDIT))
    own_server.start()
    end = time.monotonic() + 10
    while client.get("/readyz").status != 200:
        assert time.monotonic() < end
    assert client.edit(**good()).status == 200
