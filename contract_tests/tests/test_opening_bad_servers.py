"""A server that cannot be judged is told of in one sentence, with the right code, in bounded time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from talkers import Talk, answer_of, says, silent, talking
from venice_contract.running.judging import Scope, judge
from venice_contract.running.opening import OpeningError, Options
from venice_contract.wire.target import read_target

QUICK = 1.0


def refusal(url: str, **changes: object) -> OpeningError:
    """Why a run at that address cannot begin."""
    options = Options(read_target(url), timeout_s=QUICK, **changes)  # type: ignore[arg-type]
    with pytest.raises(OpeningError) as told:
        judge(options, environ={})
    return told.value


def test_a_server_that_is_not_there_cannot_be_judged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = refusal(f"http://127.0.0.1:{port}/api/v1")
    assert "cannot be reached" in str(error)
    assert error.code == 4


MODELS = answer_of(200, b'{"object": "list", "data": []}')
NOT_FOUND = answer_of(404, b'{"error": "Not Found"}')
WELCOME = answer_of(200, b"<!doctype html><title>Welcome</title>", "text/html")


def served_at(path: str, otherwise: bytes) -> Talk:
    """Lists models at one path, and answers everything else with the same."""

    def talk(connection: socket.socket, head: bytes) -> None:
        connection.sendall(MODELS if head.startswith(f"GET {path} ".encode()) else otherwise)

    return talk


@pytest.mark.parametrize("otherwise", [NOT_FOUND, WELCOME], ids=["404", "a page"])
@pytest.mark.parametrize(
    ("base", "api"),
    [
        ("", "/api/v1"),
        ("/", "/api/v1"),
        ("/venice", "/venice/api/v1"),
        ("/v1", "/api/v1"),
        ("/api", "/api/v1"),
    ],
)
def test_the_address_where_the_api_answers_is_suggested(base: str, api: str, otherwise: bytes) -> None:
    with talking(served_at(f"{api}/models", otherwise)) as port:
        error = refusal(f"http://127.0.0.1:{port}{base}")
    assert str(error).endswith(f"--base-url http://127.0.0.1:{port}{api}")
    assert error.code == 2


@pytest.mark.parametrize("answer", [NOT_FOUND, WELCOME], ids=["404", "a page"])
def test_no_address_is_suggested_where_nothing_answers(answer: bytes) -> None:
    with talking(says(answer)) as port:
        error = refusal(f"http://127.0.0.1:{port}")
    assert f"there is none at http://127.0.0.1:{port}/api/v1 either" in str(error)
    assert "--base-url" not in str(error)
    assert error.code == 2


def test_another_api_below_the_same_path_is_doubted() -> None:
    with talking(says(NOT_FOUND)) as port:
        error = refusal(f"http://127.0.0.1:{port}/api/v1")
    assert "answered 404" in str(error)
    assert "Is this the API?" in str(error)
    assert error.code == 2


def test_an_application_that_serves_nothing_below_api_v1_is_told_so_without_an_address() -> None:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"Not Found"})

    with pytest.raises(OpeningError) as told:
        judge(Options(read_target("asgi:shop:app", app)), environ={})
    assert "asgi:shop:app: GET /api/v1/models answered 404" in str(told.value)
    assert "127.0.0.1" not in str(told.value)
    assert told.value.code == 2


def test_a_page_where_json_was_expected_is_a_wrong_address() -> None:
    with talking(says(WELCOME)) as port:
        error = refusal(f"http://127.0.0.1:{port}/api/v1")
    assert "it is an HTML page, not JSON. Is this the API?" in str(error)
    assert error.code == 2


@pytest.mark.parametrize(
    "answer",
    [answer_of(502, b"<h1>Bad Gateway</h1>", "text/html"), answer_of(200, b'{"data": [', "application/json")],
    ids=["a gateway's page", "broken JSON"],
)
def test_an_api_that_is_broken_is_no_wrong_address(answer: bytes) -> None:
    with talking(says(answer)) as port:
        error = refusal(f"http://127.0.0.1:{port}/api/v1")
    assert "Is this the API?" in str(error)
    assert error.code == 4


def test_a_server_without_tls_is_a_matter_of_tls() -> None:
    with talking(says(answer_of(400, b"{}")), reads=b"") as port:
        error = refusal(f"https://127.0.0.1:{port}/api/v1")
    assert "TLS with" in str(error)
    assert error.code == 4


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (silent, "no whole answer within 1 seconds"),
        (says(b""), "closed without an answer"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), "ended after 1 bytes"),
        (says(b"220 ready\r\n"), "no HTTP answer"),
    ],
    ids=["hangs", "hangs up", "half an answer", "another protocol"],
)
def test_a_server_that_gives_no_answer_is_given_up_in_time(talk: Talk, words: str) -> None:
    began = time.monotonic()
    with talking(talk) as port:
        error = refusal(f"http://127.0.0.1:{port}/api/v1")
    assert words in str(error)
    assert error.code == 4
    assert time.monotonic() - began < 5 * QUICK


def dies_after(count: int) -> Callable[[socket.socket, bytes], None]:
    """Answers so many requests as some API would, and no more."""
    left = [count]

    def talk(connection: socket.socket, _head: bytes) -> None:
        left[0] -= 1
        if left[0] >= 0:
            connection.sendall(answer_of(400, b'{"error": "no"}'))

    return talk


def test_a_server_that_dies_in_the_middle_ends_the_run_with_what_was_seen() -> None:
    with talking(dies_after(6)) as port:
        target = read_target(f"http://127.0.0.1:{port}/api/v1")
        result = judge(Options(target, timeout_s=QUICK), Scope(only=("EDIT-*",)), environ={})
    assert "no longer answers" in result.stopped
    assert result.exit_code == 4
    assert result.requests < 12
    assert any(rule.cases for rule in result.rules)
    assert all(rule.verdict != "PASS" for rule in result.rules if not rule.cases)


# --- usage -----------------------------------------------------------------------------------------------------


def test_money_is_only_spent_within_a_budget_and_with_the_host_typed_in_full() -> None:
    url = "https://api.example.com/api/v1"
    assert "--budget-usd" in str(refusal(url, profile="real"))
    without_host = refusal(url, profile="real", budget=Decimal(1))
    assert "--confirm-host api.example.com" in str(without_host)
    near = refusal(url, profile="real", budget=Decimal(1), confirm_host="example.com")
    assert near.code == without_host.code == 2


@pytest.mark.parametrize("profile", ["mock", "ci"])
def test_profiles_without_limits_are_refused_at_another_machine(profile: str) -> None:
    error = refusal("https://api.example.com/api/v1", profile=profile)
    assert "is not this machine" in str(error)
    assert error.code == 2
