"""Rules and the journal of servers that share a store: what is said to one all know, and what one did all tell."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from journals import LINT, REQUESTS, VERDICT, ask, entries, ids, journal
from redis_server import RedisServer, running_redis
from rulekit import EDIT, good, good_body, ledger_of, server_of
from sessions import RESET, Pair, on_one_loop, opened, refused, under
from test_events import EVENTS, PATIENCE_S, Listener
from venice_mock.state.redis_journal import RedisJournal
from wallets import control

KEY = "a-test-key"
RULES = "/__mock/rules"


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


def made(client: Client, **rule: Any) -> str:
    reply = control(client, "POST", RULES, **rule)
    assert reply.status == 201, reply.body
    name: str = reply.json["id"]
    return name


# --- rules -------------------------------------------------------------------------------------------------------


def test_a_rule_that_is_made_at_one_steers_and_is_counted_at_both(pair: Pair) -> None:
    one, two = pair
    assert two.edit(**good()).status == 200  # it knows by now that there are no rules
    name = made(one, then={"error": "offline", "retry_after": 9}, match={"prompt_contains": "warm"}, times=3)
    replies = [client.edit(**good()) for client in (two, one, two, one, two)]
    assert [reply.status for reply in replies] == [503, 503, 503, 200, 200]
    assert {reply.headers["x-mock-cause"] for reply in replies[:3]} == {f"rule:{name}"}
    for client in pair:
        assert [rule["fired"] for rule in client.get(RULES).json["rules"]] == [3]
    assert one.get(f"{RULES}/{name}").json == two.get(f"{RULES}/{name}").json
    assert len(ledger_of(one, KEY)) == 3


def test_a_rule_that_is_taken_away_at_one_steers_nobody_at_the_other(pair: Pair) -> None:
    one, two = pair
    names = [made(client, then={"error": "offline"}) for client in (one, two)]
    assert len(set(names)) == 2
    assert two.edit(**good()).status == 503
    assert control(one, "DELETE", f"{RULES}/{names[0]}").status == 200
    reply = two.edit(**good())
    assert (reply.status, reply.headers["x-mock-cause"]) == (503, f"rule:{names[1]}")
    assert control(one, "DELETE", RULES).json == {"deleted": [names[1]]}
    assert two.edit(**good()).status == 200
    assert two.get(RULES).json["rules"] == []


def test_an_id_is_taken_for_both_and_a_new_rule_of_that_id_counts_anew(pair: Pair) -> None:
    one, two = pair
    made(one, id="mine", then={"error": "offline"}, times=1)
    assert refused(control(two, "POST", RULES, id="mine", then={"error": "offline"}), 409)
    assert [client.edit(**good()).status for client in (two, one)] == [503, 200]
    assert control(two, "DELETE", f"{RULES}/mine").status == 200
    made(two, id="mine", then={"error": "offline"}, times=1)
    assert [client.edit(**good()).status for client in (one, two)] == [503, 200]


def test_a_rule_that_had_no_part_in_the_answer_is_given_back_for_all(pair: Pair) -> None:
    one, two = pair
    made(one, then={"seed": 7}, times=1)
    assert one.edit(**good(prompt="")).status == 400
    assert one.get(RULES).json["rules"][0]["fired"] == 0
    assert two.edit(**good()).headers["x-mock-cause"] == "rule:rule-1"
    assert one.edit(**good()).headers.get("x-mock-cause") is None


def test_rules_fire_so_often_as_they_should_however_many_requests_come_at_once(pair: Pair) -> None:
    with on_one_loop(pair) as both:
        made(both[0], then={"error": "offline"}, times=5)
        made(both[1], then={"error": "at_capacity"}, times=4)

        async def all_at_once() -> list[int]:
            asked = [client.sending(good_body()) for client in both for _ in range(8)]
            return [reply.status for reply in await asyncio.gather(*asked)]

        answered = both[0].runner.run(all_at_once())
        assert sorted(set(answered)) == [200, 503]
        assert answered.count(200) == 7
        assert [rule["fired"] for rule in both[1].get(RULES).json["rules"]] == [5, 4]


def test_rules_belong_to_their_session_and_end_with_it(pair: Pair) -> None:
    one, two = pair
    first = opened(one, "t17")
    made(first, then={"error": "offline"})
    assert [client.edit(**good()).status for client in (under(two, "t17"), two)] == [503, 200]
    assert control(two, "DELETE", "/__mock/sessions/t17").status == 200
    assert opened(one, "t17").edit(**good()).status == 200
    assert under(two, "t17").edit(**good()).status == 200


def test_rules_are_reset_exported_and_imported_for_both(pair: Pair) -> None:
    one, two = pair
    made(one, id="a", then={"fault": "reset@body:9", "latency_ms": 1.5}, match={"key": KEY}, times=9)
    made(one, id="b", then={"error": "rate_limited", "retry_after": 3}, match={"model": "qwen-edit"})
    state = two.get("/__mock/state").json
    assert [rule["id"] for rule in state["rules"]] == ["a", "b"]
    assert control(two, "POST", RESET, only=["rules"]).status == 200
    assert one.get(RULES).json["rules"] == []
    state["rules"][0]["fired"] = 4
    assert control(one, "PUT", "/__mock/state", **state).status == 200
    assert two.get(RULES).json["rules"] == state["rules"]


# --- the journal -------------------------------------------------------------------------------------------------


def test_requests_of_both_are_one_sequence_that_both_tell_alike(pair: Pair) -> None:
    one, two = pair
    for turn, client in enumerate((one, two, two, one)):
        client.edit(**good(prompt=f"{turn}"))
    two.edit(**good(resolution="9K"))
    told = entries(one)
    assert [entry["number"] for entry in told] == [5, 4, 3, 2, 1]
    assert [entry["id"] for entry in told] == [f"req-{number:06d}" for number in (5, 4, 3, 2, 1)]
    assert told == entries(two)
    assert [entry["prompt"] for entry in told[1:]] == ["3", "2", "1", "0"]
    assert told[0]["error"]["rule"]["id"] == told[0]["rule"]
    assert told[0]["response"]["text"].startswith('{"')
    assert {name: journal(one)[name] for name in ("count", "kept", "dropped")} == {
        "count": 5,
        "kept": 5,
        "dropped": 0,
    }
    assert ids(two, "?since=req-000003") == ["req-000005", "req-000004"]
    assert one.get(f"{REQUESTS}/req-000005").json == told[0]


def test_what_is_asked_of_the_journal_is_asked_about_both(pair: Pair) -> None:
    one, two = pair
    for client in (one, two, two):
        assert client.edit(**good()).status == 200
    assert ask(one, {"prompt": good()["prompt"]}, exactly=3).status == 200
    assert ask(two, {"charged": True}, exactly=2).status == 409
    for client in pair:
        verdict = client.get(VERDICT).json
        assert (verdict["ok"], verdict["complete"]) == (False, True)
        (request,) = verdict["logical_requests"]
        assert (request["charges"], request["overcharged_usd"]) == (3, "0.080000")
        assert [attempt["id"] for attempt in request["attempts"]] == [f"req-00000{n}" for n in (1, 2, 3)]
        assert client.get(LINT).json["requests"] == 3
    assert control(two, "POST", RESET, only=["accounts"]).status == 200
    assert one.get(VERDICT).json["ok"]


def test_a_listener_at_one_hears_of_requests_at_the_other(pair: Pair) -> None:
    with on_one_loop(pair) as (one, two):

        async def story() -> Listener:
            listener = Listener(one, EVENTS)
            task = asyncio.create_task(listener.run())
            await listener.until(lambda: "so far" in listener.text)
            for client in (two, one, two):
                await client.sending(good_body())
            await listener.until(lambda: len(listener.events) == 3)
            listener.left.set()
            await asyncio.wait_for(task, PATIENCE_S)
            return listener

        events = one.runner.run(story()).events
        assert [(name, number) for name, number, _ in events] == [("request", n) for n in (1, 2, 3)]
        told = [entry for *_, entry in events]
        assert [entry["id"] for entry in told] == ids(two)[::-1]


def test_a_picture_stays_where_it_was_and_the_other_says_so(pair: Pair) -> None:
    one, two = pair
    picture = one.edit(**good()).body
    assert one.get(f"{REQUESTS}/req-000001/output").body == picture
    entry = entries(two)[0]
    if entry["links"]["output"] is None:
        assert "another process" in refused(two.get(f"{REQUESTS}/req-000001/output"), 404)
    else:
        assert two.get(f"{REQUESTS}/req-000001/output").body == picture
    assert two.get(f"{REQUESTS}/req-000001/thumbnail").headers["content-type"] == "image/jpeg"
    two.edit(**good(resolution="9K"))
    assert one.get(f"{REQUESTS}/req-000002/output").json == two.get(f"{REQUESTS}/req-000002/output").json


def test_who_empties_the_journal_empties_it_for_both_and_numbers_go_on(pair: Pair) -> None:
    one, two = pair
    for client in (one, two):
        client.edit(**good())
    assert len(entries(one)) == 2
    assert control(two, "DELETE", REQUESTS).json == {"cleared": 2}
    assert [entries(client) for client in pair] == [[], []]
    one.edit(**good())
    assert ids(two) == ids(one) == ["req-000003"]
    assert control(one, "POST", RESET, only=["journal"]).status == 200
    assert journal(two)["kept"] == journal(two)["dropped"] == 0


def test_what_is_kept_for_all_is_bounded_by_bytes_and_what_went_is_counted(
    make_client: MakeClient, redis_server: RedisServer
) -> None:
    url = redis_server.url(secrets.token_hex(8))
    one, two = (make_client(engine="fast", store=url, journal_bytes=120_000) for _ in range(2))
    for turn in range(12):
        (one if turn % 2 else two).edit(**good(prompt="x" * 20_000 + str(turn)))
    for client in pair_of(one, two):
        told = journal(client)
        assert 0 < told["kept"] < 12
        assert told["kept"] + told["dropped"] == 12
        assert told["bytes"] <= 120_000
        assert not client.get(VERDICT).json["complete"]
        assert told["requests"][0]["id"] == "req-000012"


def pair_of(one: Client, two: Client) -> Pair:
    return one, two


def test_the_journal_of_a_session_ends_with_it(pair: Pair, redis_server: RedisServer) -> None:
    one, two = pair
    opened(one, "t17").edit(**good())
    made(under(one, "t17"), then={"seed": 1})
    assert len(entries(under(two, "t17"))) == 1
    assert control(two, "DELETE", "/__mock/sessions/t17").status == 200
    namespace = server_of(one).tenants.plan.settings.store.rpartition("=")[2]
    left = redis_server.names(f"{namespace}:t17")
    assert {name.rpartition(":")[2] for name in left} & {"stories", "journal", "rules", "fired"} == set()
    assert entries(opened(one, "t17")) == []
    assert entries(under(two, "t17")) == []


def test_all_names_of_rules_and_stories_expire(pair: Pair, redis_server: RedisServer) -> None:
    one, _ = pair
    made(one, then={"error": "offline"}, times=1)
    one.edit(**good())
    one.edit(**good())
    assert control(one, "DELETE", REQUESTS).status == 200
    one.edit(**good())
    namespace = server_of(one).tenants.plan.settings.store.rpartition("=")[2]
    names = redis_server.names(namespace)
    assert {"stories", "journal", "rules", "rules-version", "fired"} <= {n.rpartition(":")[2] for n in names}
    for name in names:
        assert int(redis_server.ask(f"PTTL {name}")[1:]) != -1, name  # -2: it is gone already


def test_an_answer_that_is_paid_for_is_sent_though_the_store_is_lost_before_it_is_written_down(
    make_client: MakeClient, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(engine="fast", store=own_server.url())
    write = RedisJournal.write

    async def losing(self: RedisJournal, story: Any) -> None:
        own_server.kill()
        await write(self, story)

    with monkeypatch.context() as patched:
        patched.setattr(RedisJournal, "write", losing)
        assert client.edit(**good()).status == 200
    for path in (REQUESTS, RULES, VERDICT, LINT, f"{REQUESTS}/req-000001"):
        assert client.get(path).status == 503
    assert control(client, "POST", RULES, then={"error": "offline"}).status == 503
    own_server.start()
    client.runner.run(asyncio.sleep(0.3))
    while client.get("/readyz").status != 200:
        pass
    assert len(ledger_of(client, KEY)) == 1
    client.send(b"", path=EDIT)
    told = journal(client)
    assert (told["kept"], told["dropped"]) == (1, 1)
    assert not client.get(VERDICT).json["complete"]


def test_a_server_that_lost_its_memory_is_read_from_the_beginning(
    make_client: MakeClient, own_server: RedisServer
) -> None:
    one, two = (make_client(engine="fast", store=own_server.url()) for _ in range(2))
    for client in (one, two, one):
        client.edit(**good())
    made(one, then={"error": "offline"})
    assert len(entries(two)) == 3
    own_server.ask("FLUSHALL")
    assert [client.edit(**good()).status for client in (one, two)] == [200, 200]
    assert ids(one) == ids(two) == ["req-000002", "req-000001"]
