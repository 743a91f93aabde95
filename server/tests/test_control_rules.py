"""Rules: whose edits are steered how, how often, and before whom; the routes that make and tell them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from edits import understood
from rulekit import Clock, account_of, good, good_body, ledger_of, png, text_of
from sessions import changed, opened, refused, texts_of
from venice_mock.state.rules import MOST_RULES
from venice_mock.web.faulting import AnswerLost
from wallets import control, purse_of

RULES = "/__mock/rules"
KEY = "a-long-secret-key-of-tests"
OTHER = "another-long-key-of-tests"


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client(engine="fast", wall_clock=Clock())


def rule(client: Client, then: dict[str, Any], **more: Any) -> Any:
    """A new rule, as it is told."""
    reply = control(client, "POST", RULES, then=then, **more)
    assert reply.status == 201, reply.body
    return reply.json


def edit(client: Client, key: str = KEY, headers: Mapping[str, str] | None = None, **fields: Any) -> Reply:
    return client.edit(key=key, headers=headers, **good(**fields))


def fired(client: Client) -> dict[str, int]:
    return {each["id"]: each["fired"] for each in client.get(RULES).json["rules"]}


# --- whom it steers ----------------------------------------------------------------------------------------------


def test_a_rule_without_a_match_steers_every_edit(client: Client) -> None:
    assert rule(client, {"error": "offline"})["id"] == "rule-1"
    edits: list[dict[str, Any]] = [{}, {"prompt": "other"}, {"model": "firered-image-edit"}]
    for fields in edits:
        reply = edit(client, **fields)
        assert (reply.status, reply.headers["x-mock-cause"]) == (503, "rule:rule-1")
    assert fired(client) == {"rule-1": 3}
    assert ledger_of(client, KEY) == []


def test_a_rule_matches_the_model_also_where_it_is_the_default(client: Client) -> None:
    default = edit(client).headers["x-venice-model-id"]
    rule(client, {"error": "offline"}, match={"model": default})
    assert edit(client).status == edit(client, model=default).status == 503
    assert edit(client, model="firered-image-edit").status == 200


def test_a_rule_matches_words_of_the_prompt_in_any_case(client: Client) -> None:
    rule(client, {"error": "offline"}, match={"prompt_contains": "SUNSET over"})
    assert edit(client, prompt="A sunset OVER the sea").status == 503
    assert edit(client, prompt="a sunset behind the sea").status == 200


def test_a_rule_matches_a_key_and_no_other(client: Client) -> None:
    rule(client, {"error": "offline"}, match={"key": KEY})
    assert [edit(client, key).status for key in (KEY, OTHER, "mock_ok")] == [503, 200, 200]


def test_a_rule_matches_a_wallet_by_its_address(make_client: MakeClient, tmp_path: Path) -> None:
    purse = purse_of(make_client, tmp_path, "5")
    rule(purse.client, {"error": "offline"}, match={"key": purse.address})
    assert purse.edit().status == 503
    assert purse.balance() == 5
    assert edit(purse.client).status == 200


def test_all_of_a_match_must_fit(client: Client) -> None:
    rule(
        client,
        {"error": "offline"},
        match={"key": KEY, "prompt_contains": "x", "model": "firered-image-edit"},
    )
    assert edit(client, KEY, prompt="x", model="firered-image-edit").status == 503
    assert edit(client, OTHER, prompt="x", model="firered-image-edit").status == 200
    assert edit(client, KEY, prompt="y", model="firered-image-edit").status == 200
    assert edit(client, KEY, prompt="x").status == 200


def test_a_rule_belongs_to_its_session(client: Client) -> None:
    one, other = opened(client, "one"), opened(client, "other")
    rule(one, {"error": "offline"})
    assert [edit(each).status for each in (one, other, client)] == [503, 200, 200]
    assert edit(client, KEY + "__one").status == 503


def test_a_session_chosen_by_the_key_matches_the_key_alone(client: Client) -> None:
    one = opened(client, "one")
    rule(one, {"error": "offline"}, match={"key": KEY})
    assert edit(client, KEY + "__one").status == 503


# --- how often ---------------------------------------------------------------------------------------------------


def test_a_rule_steers_so_many_edits_and_then_none(client: Client) -> None:
    rule(client, {"error": "edit_error"}, times=2)
    assert [edit(client).status for _ in range(4)] == [500, 500, 200, 200]
    assert fired(client) == {"rule-1": 2}


def test_rules_that_are_used_up_one_after_the_other_are_a_script(client: Client) -> None:
    rule(client, {"error": "rate_limited", "retry_after": 2}, times=1)
    rule(client, {"error": "offline"}, times=1)
    assert [edit(client).status for _ in range(3)] == [429, 503, 200]
    assert fired(client) == {"rule-1": 1, "rule-2": 1}


def test_the_first_rule_that_fits_counts_alone(client: Client) -> None:
    rule(client, {"seed": 7}, match={"prompt_contains": "warm"})
    rule(client, {"error": "offline"})
    assert edit(client, prompt="warm").status == 200
    assert edit(client, prompt="cold").status == 503
    assert fired(client) == {"rule-1": 1, "rule-2": 1}


def test_what_is_refused_anyway_uses_up_nothing(client: Client) -> None:
    rule(client, {"error": "edit_error"}, times=1)
    assert edit(client, prompt="").status == 400
    assert edit(client, "mock_invalid_key").status == 401
    assert client.send(b"{").status == 400
    assert fired(client) == {"rule-1": 0}
    assert [edit(client).status for _ in range(2)] == [500, 200]


def test_what_somebody_stronger_decides_uses_up_nothing(client: Client) -> None:
    rule(client, {"error": "edit_error"}, times=1)
    assert edit(client, headers={"X-Mock": "error=offline"}).status == 503
    assert edit(client, headers={"X-Mock": "fault=wrong_media_type"}).status == 200
    assert fired(client) == {"rule-1": 0}


def test_of_many_edits_at_once_exactly_so_many_are_steered(client: Client) -> None:
    rule(client, {"error": "edit_error"}, times=7)

    async def storm() -> list[int]:
        edits = (client.sending(good_body(), key=KEY) for _ in range(20))
        return [reply.status for reply in await asyncio.gather(*edits)]

    statuses = client.runner.run(storm())
    assert (statuses.count(500), statuses.count(200)) == (7, 13)
    assert account_of(client, KEY).balance == 100 - 13 * Decimal("0.04")


# --- what it orders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    ["invalid_content_type", "authentication_failed", "payment_header_not_accepted", "api_access_disabled"],
)
def test_an_error_of_a_stage_before_the_body_comes_as_soon_as_the_rule_is_known(
    client: Client, error: str
) -> None:
    rule(client, {"error": error}, match={"prompt_contains": "warm"})
    reply = edit(client)
    assert reply.status == edit(client, headers={"X-Mock": f"error={error}"}).status
    assert reply.headers["x-mock-cause"] == "rule:rule-1"


def test_a_rule_orders_what_the_header_orders(client: Client) -> None:
    orders: dict[str, tuple[dict[str, Any], str]] = {
        "a": ({"error": "overloaded", "retry_after": 3}, "error=overloaded; retry_after=3"),
        "b": ({"error": "spend_limit"}, "error=spend_limit"),
        "c": ({"seed": 7}, "seed=7"),
        "d": ({"latency_ms": 1}, "latency=1ms"),
        "e": ({"latency": "1ms..2ms", "adult": True}, "latency=1ms..2ms; adult=yes"),
        "f": ({"fault": "wrong_media_type@text/plain"}, "fault=wrong_media_type@text/plain"),
    }
    for name, (then, order) in orders.items():
        rule(client, then, id=name, match={"prompt_contains": f"prompt {name}"})
        by_rule = edit(client, prompt=f"prompt {name}")
        by_header = edit(client, OTHER, headers={"X-Mock": order}, prompt=f"prompt {name}")
        assert (by_rule.status, by_rule.body) == (by_header.status, by_header.body), then
        assert by_rule.headers["x-mock-cause"] == f"rule:{name}"
        for header in ("retry-after", "content-type", "x-venice-is-blurred"):
            assert by_rule.headers.get(header) == by_header.headers.get(header)


def test_a_rule_can_lose_an_answer_after_the_charge(client: Client) -> None:
    rule(client, {"fault": "charge_then_reset"}, times=1)
    with pytest.raises(AnswerLost):
        edit(client)
    assert edit(client).status == 200
    assert len(ledger_of(client, KEY)) == 2


@pytest.mark.parametrize(("adult", "blurred"), [(True, "true"), (False, "false")])
def test_a_rule_or_a_header_says_what_counts_as_adult(
    make_client: MakeClient, adult: bool, blurred: str
) -> None:
    client = make_client(engine="fast")
    prompt = "make it warm" if adult else "a nude statue"
    assert edit(client, prompt=prompt).headers["x-venice-is-blurred"] != blurred
    by_header = edit(client, prompt=prompt, headers={"X-Mock": f"adult={'yes' if adult else 'no'}"})
    rule(client, {"adult": adult})
    by_rule = edit(client, prompt=prompt)
    for reply in (by_header, by_rule):
        assert (reply.status, reply.headers["x-venice-is-blurred"]) == (200, blurred)
        assert understood(reply).adult is adult
    assert by_rule.headers["x-mock-cause"] == "rule:rule-1"


# --- a 429 that is true ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [None, 2, 3600])
def test_advancing_the_clock_by_what_was_told_ends_a_429_by_rule(client: Client, wait: int | None) -> None:
    rule(client, {"error": "rate_limited"} | ({} if wait is None else {"retry_after": wait}))
    reply = edit(client)
    assert (reply.status, reply.headers["retry-after"]) == (429, str(wait or 60))
    assert reply.headers["x-ratelimit-remaining-requests"] == "0"
    assert reply.headers["x-ratelimit-reset-requests"] == str(1_800_000_000 + (wait or 60))
    assert control(client, "POST", "/__mock/clock/advance", seconds=(wait or 60) - 1).status == 200
    assert (edit(client).status, edit(client).headers["retry-after"]) == (429, "1")
    assert control(client, "POST", "/__mock/clock/advance", seconds=1).status == 200
    assert edit(client).status == 200
    assert edit(client, OTHER).status == 429  # to each key its own minute


def test_advancing_the_clock_by_a_minute_ends_the_real_limit(make_client: MakeClient) -> None:
    client = make_client(engine="fast", limits="real", wall_clock=Clock())
    statuses = [edit(client).status for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    wait = int(edit(client).headers["retry-after"])
    assert control(client, "POST", "/__mock/clock/advance", seconds=wait).status == 200
    assert edit(client).status == 200


# --- who goes first ----------------------------------------------------------------------------------------------


def test_header_goes_before_rule_before_prompt_before_key(make_client: MakeClient) -> None:
    client = make_client(engine="fast", prompt_magic=True)
    said: dict[str, Any] = {"prompt": "[[mock:offline]]"}

    def told(reply: Reply) -> tuple[int, str]:
        return reply.status, reply.headers["x-mock-cause"]

    assert told(edit(client, "mock_timeout")) == (504, "key:mock_timeout")
    assert told(edit(client, "mock_timeout", **said)) == (503, "prompt:error=offline")
    rule(client, {"error": "edit_error"})
    assert told(edit(client, "mock_timeout", **said)) == (500, "rule:rule-1")
    header = {"X-Mock": "error=spend_limit"}
    assert told(edit(client, "mock_timeout", header, **said)) == (402, "header:error=spend_limit")


def test_what_the_stronger_does_not_say_the_weaker_may(make_client: MakeClient) -> None:
    client = make_client(engine="fast", prompt_magic=True)
    rule(client, {"latency_ms": 1})
    reply = edit(client, "mock_timeout", {"X-Mock": "seed=7"}, prompt="[[mock:adult=yes]]")
    assert reply.status == 504
    assert reply.headers["x-mock-cause"] == "header:seed=7, rule:rule-1, prompt:adult=yes, key:mock_timeout"


def test_how_a_request_ends_is_one_choice(client: Client) -> None:
    rule(client, {"error": "offline", "retry_after": 9})
    reply = edit(client, headers={"X-Mock": "fault=charge_then_504"})
    assert (reply.status, reply.headers["x-mock-cause"]) == (504, "header:fault=charge_then_504")
    reply = edit(client, "mock_charge_then_504", headers={"X-Mock": "error=edit_error"})
    assert (reply.status, reply.headers["x-mock-cause"]) == (500, "header:error=edit_error")
    assert "retry-after" not in reply.headers
    assert len(ledger_of(client, "mock_charge_then_504")) == 0


# --- the routes --------------------------------------------------------------------------------------------------


def test_a_rule_is_told_as_it_can_be_sent_again_and_without_the_key(client: Client) -> None:
    made = rule(
        client, {"error": "Rate_Limited", "retry_after": 2}, match={"key": KEY}, times=1, id="slow-down"
    )
    account = client.get(f"/__mock/accounts/{KEY}").json["account"]
    assert made == {
        "id": "slow-down", "match": {"account": account}, "then": {"error": "Rate_Limited", "retry_after": 2},
        "times": 1, "fired": 0, "last4": KEY[-4:],
    }  # fmt: skip
    assert client.get(f"{RULES}/slow-down").json == made
    assert client.get(RULES).json == {"rules": [made], "most": MOST_RULES}
    assert not [text for text in texts_of(client.get(RULES).json) if KEY in text]
    assert edit(client).status == 429
    told = client.get(f"{RULES}/slow-down").json
    assert control(client, "DELETE", RULES).json == {"deleted": ["slow-down"]}
    again = control(client, "POST", RULES, **told)
    assert (again.status, again.json) == (201, {**told, "fired": 0})
    assert edit(client).status == 429


def test_rules_are_taken_away_one_by_one_or_all(client: Client) -> None:
    for _ in range(3):
        rule(client, {"error": "offline"})
    assert control(client, "DELETE", f"{RULES}/rule-2").json == {"deleted": ["rule-2"]}
    assert list(fired(client)) == ["rule-1", "rule-3"]
    assert control(client, "DELETE", RULES).json == {"deleted": ["rule-1", "rule-3"]}
    assert edit(client).status == 200
    assert rule(client, {"seed": 1})["id"] == "rule-4"  # a name is not used for two


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_rule_that_is_not_there_is_a_404(client: Client, method: str) -> None:
    assert "no such rule" in refused(control(client, method, f"{RULES}/nobody"), 404)


def test_rules_outlive_a_change_of_config_and_end_with_a_reset(client: Client) -> None:
    rule(client, {"error": "offline"})
    changed(client, seed=4)
    assert edit(client).status == 503
    assert control(client, "POST", "/__mock/reset", only=["accounts", "journal", "config"]).status == 200
    assert edit(client).status == 503
    assert control(client, "POST", "/__mock/reset", only=["rules"]).json == {"reset": ["rules"]}
    assert edit(client).status == 200
    rule(client, {"error": "offline"})
    assert control(client, "POST", "/__mock/reset").status == 200
    assert client.get(RULES).json["rules"] == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "`then`"),
    ({"then": {}}, "then is empty"),
    ({"then": {"match": {}}}, "`match`"),
    ({"then": {"error": "offlin"}}, "Did you mean offline"),
    ({"then": {"error": 503}}, "str"),
    ({"then": {"fault": "rest"}}, "Did you mean reset"),
    ({"then": {"retry_after": 2}}, "goes with an error"),
    ({"then": {"error": "offline", "retry_after": -1}}, "from 0 to 86400"),
    ({"then": {"latency": "1h"}}, "800ms"),
    ({"then": {"latency_ms": -1}}, "800ms"),
    ({"then": {"latency_ms": 600_001}}, "at most 600s"),
    ({"then": {"latency_ms": 1, "latency": "1ms"}}, "either latency or latency_ms"),
    ({"then": {"seed": -1}}, "whole number"),
    ({"then": {"adult": "yes"}}, "bool"),
    ({"then": {"seed": 1}, "times": 0}, "from 1 to 1,000,000"),
    ({"then": {"seed": 1}, "times": 1.5}, "int"),
    ({"then": {"seed": 1}, "id": "a/b"}, "an id is"),
    ({"then": {"seed": 1}, "id": "x" * 41}, "an id is"),
    ({"then": {"seed": 1}, "match": {"model": "firered-image-edt"}}, "Did you mean firered-image-edit"),
    ({"then": {"seed": 1}, "match": {"prompt_contains": ""}}, "1 to 1,000"),
    ({"then": {"seed": 1}, "match": {"prompt_contains": "x" * 1001}}, "1 to 1,000"),
    ({"then": {"seed": 1}, "match": {"key": "a", "account": "b"}}, "either key or account"),
    ({"then": {"seed": 1}, "match": {"account": "a b"}}, "give key instead"),
    ({"then": {"seed": 1}, "last4": "4242"}, "last4 goes with account"),
    ({"then": {"seed": 1}, "match": {"account": "a"}, "last4": "42424"}, "four characters"),
    ({"then": {"seed": 1}, "match": {"size": 1}}, "`size`"),
    ({"then": {"seed": 1}, "match": {"prompt_contains": "é" * 16_000}}, "16,384 bytes"),
]


@pytest.mark.parametrize(("body", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_rule_that_cannot_be_is_told_why_and_not_made(
    client: Client, body: dict[str, Any], sentence: str
) -> None:
    told = refused(client.send(json.dumps(body, ensure_ascii=False).encode(), path=RULES, key=None))
    assert told.startswith("Rule: ")
    assert sentence in told
    assert client.get(RULES).json["rules"] == []


def test_a_mistyped_magic_key_is_told_the_nearest(client: Client) -> None:
    told = refused(control(client, "POST", RULES, then={"seed": 1}, match={"key": "mock_okay"}), 404)
    assert "mock_ok" in told


def test_an_id_is_taken_once(client: Client) -> None:
    rule(client, {"seed": 1}, id="rule-1")
    assert rule(client, {"seed": 1})["id"] == "rule-2"
    assert "is there already" in refused(control(client, "POST", RULES, then={"seed": 1}, id="rule-1"), 409)


def test_rules_are_bounded_and_used_up_ones_make_room(client: Client) -> None:
    rule(client, {"seed": 1}, times=1)
    for _ in range(MOST_RULES - 1):
        rule(client, {"seed": 2}, match={"prompt_contains": "never"})
    assert "delete some" in refused(control(client, "POST", RULES, then={"seed": 1}), 409)
    assert edit(client).status == 200  # uses up the first
    rule(client, {"seed": 3})
    assert len(fired(client)) == MOST_RULES
    assert "rule-1" not in fired(client)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/a"), ("DELETE", "/a")]
)
def test_every_route_of_rules_is_behind_the_guard(client: Client, method: str, path: str) -> None:
    body = json.dumps({"then": {"seed": 1}}).encode()
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        reply = client.send(body, method=method, path=RULES + path, headers=headers, key=None)
        assert "closed to this request" in refused(reply, 403)
    if method != "GET":
        reply = client.send(body, method=method, path=RULES + path, content_type="text/plain", key=None)
        refused(reply, 415)
    assert fired(client) == {}


def test_pure_hides_the_rule_and_obeys_it(make_client: MakeClient) -> None:
    client = make_client(engine="fast", pure=True)
    rule(client, {"error": "offline"})
    reply = edit(client)
    assert (reply.status, [name for name in reply.headers if "mock" in name]) == (503, [])


def test_the_journal_tells_which_rule_decided(client: Client) -> None:
    rule(client, {"error": "offline"})
    edit(client)
    assert client.get("/__mock/requests").json["requests"][0]["cause"] == "rule:rule-1"


def test_rules_look_at_requests_of_every_kind_of_body(client: Client) -> None:
    rule(client, {"error": "offline"}, match={"prompt_contains": "sunset", "model": "firered-image-edit"})
    form: Callable[[str], Reply] = lambda prompt: client.form(  # noqa: E731
        [("image", png()), ("prompt", prompt), ("model", "firered-image-edit")]
    )
    assert (form("a sunset").status, form("a sunrise").status) == (503, 200)
    for odd in (b"[]", b'{"prompt": 5}', b'{"model": ["x"]}', json.dumps({"image": text_of(png())}).encode()):
        assert client.send(odd).status == 400
