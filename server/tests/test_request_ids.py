"""Ids of requests: taken from the client or made, told in the answer, the log and the journal, and hidden by pure."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from asgi import Client
from conftest import MakeClient
from rulekit import good, good_body
from sessions import opened
from venice_mock import logs
from venice_mock.settings_types import IN_PROCESS

HEADER = "x-mock-request-id"
MODELS = "/api/v1/models"


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root, package = logging.getLogger(), logging.getLogger(logs.LOGGER)
    kept = root.handlers[:], root.level, package.level
    yield
    root.handlers[:], root.level, package.level = kept[0], kept[1], kept[2]


def logged(client: Client) -> tuple[Client, io.StringIO]:
    """The same server behind its access log, and what that writes."""
    stream = io.StringIO()
    app: Any = logs.AccessLog(client.app, logs.configure("json", "info", stream))
    return Client(app, client.key, client.runner), stream


@pytest.mark.parametrize("said", ["a", "req-17", "3f2c9a1e-7b6d-4c5e-8f90-a1b2c3d4e5f6", "x" * 64, "a.b:c_d"])
def test_a_clients_own_id_comes_back(client: Client, said: str) -> None:
    for path in (MODELS, "/__mock/clock", "/livez", "/nothing", "/__s/nobody/livez"):
        assert client.get(path, **{"x-request-id": said}).headers[HEADER] == said


@pytest.mark.parametrize(
    "said",
    ["", "x" * 65, "a b", "a\tb", "é", "<script>", "a,b", 'a"b', "sk-abcdef1234567", "venice_abcdef1234"],
)
def test_what_is_no_short_word_or_looks_like_a_key_is_replaced(client: Client, said: str) -> None:
    told = client.get(MODELS, **{"x-request-id": said}).headers[HEADER]
    assert re.fullmatch("[0-9a-f]{16}", told)


def test_ids_that_are_made_differ_and_are_repeatable_with_a_seed(make_client: MakeClient) -> None:
    def ids(client: Client) -> list[str]:
        return [client.get(MODELS).headers[HEADER] for _ in range(20)]

    # In a shared store no seed draws ids, or two servers would draw the same.
    first, second, other = (make_client(seed=seed, store=IN_PROCESS) for seed in (7, 7, 8))
    told = ids(first)
    assert len(set(told)) == 20
    assert ids(second) == told
    assert not set(ids(other)) & set(told)
    assert not set(ids(make_client())) & set(ids(make_client()))


def test_making_one_draws_nothing_from_the_session(make_client: MakeClient) -> None:
    quiet, busy = (make_client(seed=7, engine="fast", store=IN_PROCESS) for _ in range(2))
    for _ in range(5):
        busy.get("/livez")

    def charge(client: Client) -> str:
        assert client.send(good_body()).status == 200
        return str(client.get("/__mock/accounts/a-test-key/ledger").json["entries"][0]["request_id"])

    assert charge(quiet) == charge(busy)


def test_a_refusal_carries_one_and_an_answer_carries_just_one(client: Client) -> None:
    reply = client.send(b"{", headers={"X-Request-Id": "one"})
    assert (reply.status, reply.headers[HEADER]) == (400, "one")

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        async def watched(message: Any) -> None:
            if message["type"] == "http.response.start":
                names = [name for name, _ in message["headers"] if name == HEADER.encode()]
                assert len(names) == 1
            await send(message)

        await client.app(scope, receive, watched)

    assert Client(counting, None, client.runner).get(MODELS).status == 200


def test_a_pure_server_and_a_pure_session_send_none(make_client: MakeClient) -> None:
    client = make_client()
    session = opened(client, "t17", pure=True)
    assert HEADER not in session.get(MODELS, **{"x-request-id": "one"}).headers
    assert HEADER in client.get(MODELS).headers
    pure = make_client(pure=True)
    for path in (MODELS, "/nothing", "/__s/nobody/livez"):
        assert HEADER not in pure.get(path, **{"x-request-id": "one"}).headers


def test_the_log_line_has_it_also_when_the_answer_has_not(make_client: MakeClient) -> None:
    client, stream = logged(make_client(pure=True))
    client.get(MODELS, **{"x-request-id": "one"})
    client.get(MODELS)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["request_id"] == "one"
    assert re.fullmatch("[0-9a-f]{16}", second["request_id"])


def test_a_line_leads_to_the_journal_the_ledger_and_the_rule(make_client: MakeClient) -> None:
    server = make_client(engine="fast")
    opened(server, "t17")
    client, stream = logged(server)
    assert (
        client.send(good_body(), path="/__s/t17/api/v1/image/edit", headers={"X-Request-Id": "good"}).status
        == 200
    )
    client.edit(prompt="no picture")
    edited, refused = map(json.loads, stream.getvalue().splitlines())
    entry = server.get("/__s/t17/__mock/requests/" + edited["entry"]).json
    assert entry["response"]["headers"][HEADER] == "good" == edited["request_id"]
    assert (edited["session"], edited["charged_usd"]) == ("t17", "0.04")
    assert (refused["refusal"], refused["rule"], refused["status"]) == (
        "INVALID_REQUEST",
        "EDIT-IMG-006",
        400,
    )
    assert "session" not in refused
    assert server.get("/__mock/requests/" + refused["entry"]).json["rule"] == "EDIT-IMG-006"


def test_no_secret_of_a_request_gets_into_its_line(make_client: MakeClient) -> None:
    client, stream = logged(make_client(engine="fast"))
    secret = "a-secret-nobody-may-read"
    for key in (secret, f"mock_{secret}"):
        client.edit(key=key, headers={"X-Sign-In-With-X": secret, "Cookie": secret}, **good())
        client.edit(key=key, **good(model="nobody"))
        client.get(f"/__mock/accounts/{key}?token={secret}", authorization=f"Bearer {secret}")
    assert stream.getvalue().count("\n") == 6
    assert secret not in stream.getvalue()
