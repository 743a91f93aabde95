"""What only a mock has: its keys, its own headers, its health and its document, and the end of its process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openapi_spec_validator
import pytest

from asgi import Client
from conftest import MakeClient
from rulekit import EDIT, PATIENCE_S, TEST_EDITION, balance_of, good, good_body, png, text_of
from venice_mock.contract import load_contract


@pytest.mark.rules("MOCK-KEY-001")
def test_any_word_is_an_account_of_its_own_with_a_hundred_dollars(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    assert client.edit(**good(), key="first").status == 200
    assert (balance_of(client, "first"), balance_of(client, "second")) == (Decimal("99.96"), Decimal(100))
    richer = make_client(balance=Decimal("2.50"))
    assert balance_of(richer, "first") == Decimal("2.5")
    for key in ("two words", ""):
        reply = client.send(good_body(), headers={"Authorization": f"Bearer {key}"}, key=None)
        assert reply.status == 401


@pytest.mark.rules("MOCK-KEY-002")
def test_mock_ok_works(make_client: MakeClient) -> None:
    client = make_client(engine="fast")
    reply = client.edit(**good(), key="mock_ok")
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
    assert balance_of(client, "mock_ok") == Decimal("99.96")


@pytest.mark.rules("MOCK-KEY-003")
@pytest.mark.parametrize(("key", "dollars"), [("mock_balance_0.05", "0.05"), ("mock_balance_7", "7")])
def test_a_balance_key_starts_with_its_balance(client: Client, key: str, dollars: str) -> None:
    assert balance_of(client, key) == Decimal(dollars)


@pytest.mark.rules("MOCK-KEY-009")
@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("mock_insufficient_balnce", "mock_insufficient_balance"),
        ("mock_okay", "mock_ok"),
        ("mock_", "mock_ok"),
    ],
)
def test_a_mistyped_magic_key_is_refused_with_the_nearest_ones(
    client: Client, make_client: MakeClient, key: str, near: str
) -> None:
    reply = client.edit(**good(), key=key)
    assert (reply.status, reply.json) == (401, {"error": "Authentication failed"})
    assert near in reply.headers["x-mock-hint"]
    quiet = make_client(pure=True).edit(**good(), key=key)
    assert (quiet.status, quiet.body) == (401, reply.body)
    assert "x-mock-hint" not in quiet.headers


def a_refusal_of_each_kind() -> list[dict[str, Any]]:
    return [
        {"key": None}, {"key": "mock_invalid_key"}, {"key": "mock_disabled"}, {"key": "mock_inactive"},
        {"key": "mock_insufficient_balance"}, {"key": "mock_spend_limit"}, {"body": b"{"}, {"body": b"{}"},
        {"content_type": "text/plain"}, {"headers": {"X-PAYMENT": "x"}}, {"body": good_body(model="nope")},
        {"body": good_body(resolution="4K")}, {"body": good_body(image=text_of(png(9, 9)))},
        {"body": good_body(prompt="gore")}, {"body": good_body(image=text_of(png(broken=True)))},
        {"headers": {"Content-Length": "99999999"}},
    ]  # fmt: skip


@pytest.mark.rules("MOCK-SRV-004")
@pytest.mark.parametrize("edition", ["2026-06-19", str(TEST_EDITION)])
def test_every_refusal_names_a_living_rule_and_pure_names_nothing(
    make_client: MakeClient, edition: str
) -> None:
    living = {rule.id for rule in load_contract("2026-06-19").edition.rules}
    plain, pure = make_client(edition=edition), make_client(edition=edition, pure=True)
    for arguments in a_refusal_of_each_kind():
        told, quiet = (
            plain.send(**{"body": good_body(), **arguments}),
            pure.send(**{"body": good_body(), **arguments}),
        )
        assert told.status == quiet.status >= 400, arguments
        assert told.headers["x-mock-rule"] in living, arguments
        assert not [name for name in quiet.headers if "mock" in name], arguments
        extra = set(told.headers) - set(quiet.headers)
        assert extra <= {"x-mock-rule", "x-mock-hint", "x-mock-cause", "x-mock-request-id"}
        if arguments.get("key") is not None or "key" not in arguments:
            assert told.body == quiet.body
    assert not [name for name in pure.edit(**good()).headers if "mock" in name]


@pytest.mark.rules("MOCK-SRV-004")
def test_the_rule_that_was_broken_is_the_one_that_is_named(client: Client) -> None:
    def rule(**fields: Any) -> str:
        return client.edit(**good(**fields)).headers["x-mock-rule"]

    assert rule(prompt="") == "EDIT-PRM-002"
    assert rule(n=1) == "EDIT-HTTP-009"
    assert rule(model="nope") == "EDIT-MOD-005"
    assert rule(image=text_of(png(9, 9))) == "EDIT-IMG-012"
    assert client.send(b"{").headers["x-mock-rule"] == "EDIT-HTTP-006"


# --- the document ----------------------------------------------------------------------------------------------


@pytest.mark.rules("MOCK-SRV-002")
@pytest.mark.parametrize("edition", ["2026-06-19", str(TEST_EDITION)])
@pytest.mark.parametrize("behavior", ["documented", "observed"])
def test_the_document_is_valid_and_its_lists_are_the_editions(
    make_client: MakeClient, edition: str, behavior: str
) -> None:
    client = make_client(edition=edition, behavior=behavior)
    document = client.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    openapi_spec_validator.validate(document)
    fields = load_contract(edition).edition.fields
    found: dict[str, Any] = {}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for name, value in node.get("properties", {}).items():
                if isinstance(value, dict) and "enum" in value:
                    found.setdefault(name, set()).update(value["enum"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    assert found["aspect_ratio"] == set(fields.aspect_ratios)
    assert (
        set(fields.output_formats)
        <= found["output_format"]
        <= {*fields.output_formats, *fields.format_aliases}
    )
    assert found["modelId"] == set(fields.model_ids)


@pytest.mark.rules("MOCK-SRV-002")
def test_the_document_names_what_is_served_and_nothing_else(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json
    for path, item in document["paths"].items():
        served = path if path.startswith(("/api/", "/livez", "/readyz", "/__mock")) else f"/api/v1{path}"
        for method in set(item) & {"get", "post", "put", "delete", "patch"}:
            assert client.send(method=method.upper(), path=served).status not in (404, 405), (method, path)
    assert any(path.endswith("/image/edit") for path in document["paths"])
    assert any(path.endswith("/models") for path in document["paths"])


# --- the process -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(*flags: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real server process and its port, once it says that it is ready."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("VENICE_MOCK_")}
    command = [sys.executable, "-m", "venice_mock", "serve", "--port", "0", "--log-level", "error", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["port"]
        finally:
            process.kill()


def ask(port: int, method: str, path: str, body: bytes = b"") -> http.client.HTTPConnection:
    """A connection on which one request was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Authorization": "Bearer mock_ok", "Content-Type": "application/json"}
    connection.request(method, path, body or None, headers)
    return connection


@pytest.mark.rules("MOCK-SRV-001")
def test_a_server_that_says_ready_is_alive_and_can_edit(client: Client) -> None:
    for path in ("/livez", "/readyz"):
        assert (client.get(path).status, client.get(path).json) == (200, {"status": "ok"})
    with served("--engine", "fast") as (_, port):
        for method, path, body in (
            ("GET", "/livez", b""),
            ("GET", "/readyz", b""),
            ("POST", EDIT, good_body()),
        ):
            with contextlib.closing(ask(port, method, path, body)) as connection:
                assert connection.getresponse().status == 200


@pytest.mark.rules("MOCK-SRV-005")
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_an_edit_lets_it_finish_and_ends_the_process_with_0(sig: signal.Signals) -> None:
    with served("--latency", "1s", "--engine", "fast") as (process, port):
        with contextlib.closing(ask(port, "POST", EDIT, good_body())) as editing:
            with contextlib.closing(
                ask(port, "GET", "/livez")
            ) as other:  # answered: the edit was taken before
                assert other.getresponse().status == 200
            process.send_signal(sig)
            reply = editing.getresponse()
            assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
            assert reply.read().startswith(b"\x89PNG")
        assert process.wait(PATIENCE_S) == 0
