"""Authentication: who is a caller, what strangers are told, and that no credential ever leaves the server."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from asgi import Client, Reply
from conftest import MakeClient
from rulekit import EDIT, good, good_body, png, text_of, wire
from venice_mock.edit import endpoint

KEY = "a-test-key"
UNKNOWN = {"error": "Authentication failed"}
INACTIVE = (
    "Authentication failed - Pro subscription is inactive. "
    "Please upgrade your subscription to continue using the API"
)
DISABLED = "API access has been disabled for this account. Please contact support@venice.ai"


def is_discovery(reply: Reply) -> bool:
    return reply.status == 402 and reply.json["x402Version"] == 2 and "payment-required" in reply.headers


@pytest.mark.rules("EDIT-AUTH-001")
@pytest.mark.parametrize("key", [KEY, "mock_ok", "sk-or-v1_0123456789abcdef", "x", "ü" * 5, "k" * 4000])
def test_a_good_key_gets_as_far_as_the_body(client: Client, key: str) -> None:
    reply = client.send(b"{}", headers={"Authorization": f"Bearer {key}"}, key=None)
    assert reply.status == 400
    assert reply.json["details"] == {
        "_errors": [],
        "image": {"_errors": ["Required"]},
        "prompt": {"_errors": ["Required"]},
    }


@pytest.mark.rules("EDIT-AUTH-002", "EDIT-AUTH-022", "MOCK-KEY-006")
@pytest.mark.parametrize(
    "value",
    ["Bearer mock_invalid_key", "Bearer ", "Bearer", "Bearer    ", "Bearer two words", "Bearer a\tb", ""],
)
def test_a_bad_key_is_told_one_sentence_and_nothing_else(client: Client, value: str) -> None:
    for body in (good_body(), b"{"):
        reply = client.send(body, headers={"Authorization": value}, key=None)
        assert reply.status == 401
        assert reply.json == UNKNOWN
        assert "payment-required" not in reply.headers


@pytest.mark.parametrize("value", ["mock_ok", "Basic bW9ja19vazo=", ""])
def test_a_key_without_its_scheme_is_told_how_keys_are_sent(client: Client, value: str) -> None:
    reply = client.send(good_body(), headers={"Authorization": value}, key=None)
    assert (reply.status, reply.json) == (401, UNKNOWN)
    assert "Authorization: Bearer " in reply.headers["x-mock-hint"]


@pytest.mark.rules("EDIT-AUTH-002")
def test_a_keys_file_revokes_keys_and_shuts_out_those_it_does_not_list(
    make_client: MakeClient, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"known": {}, "revoked": {"status": "invalid"}}), "utf-8")
    client = make_client(keys=file)
    assert client.send(b"{", key="known").status == 400
    for key in ("revoked", "never-heard-of"):
        reply = client.send(good_body(), key=key)
        assert (reply.status, reply.json) == (401, UNKNOWN)


@pytest.mark.rules("EDIT-AUTH-012", "EDIT-AUTH-021")
@pytest.mark.parametrize(
    "body", [b"", b"{", good_body(), good_body(n=1), good_body(image="?")], ids=lambda body: str(len(body))
)
@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=edge"])
def test_a_request_without_credentials_is_told_how_to_pay_whatever_its_body(
    client: Client, body: bytes, content_type: str
) -> None:
    assert is_discovery(client.send(body, content_type=content_type, key=None))


@pytest.mark.rules("EDIT-AUTH-021")
def test_without_credentials_the_size_plays_no_part_and_the_media_type_does(client: Client) -> None:
    assert is_discovery(client.send(headers={"Content-Length": "99000000"}, key=None))
    reply = client.send(b"x", content_type="text/plain", key=None)
    assert (reply.status, reply.json) == (415, {"error": "Invalid request content-type"})


@pytest.mark.rules("EDIT-AUTH-021")
def test_the_body_of_a_stranger_is_never_asked_for(client: Client) -> None:
    async def app(scope: Any, _: Any, send: Any) -> None:
        async def receive() -> Any:
            raise AssertionError("the body was read")

        await client.app(scope, receive, send)

    assert is_discovery(Client(app, key=None, runner=client.runner).send(good_body()))


@pytest.mark.rules("EDIT-AUTH-014")
def test_other_spellings_of_authorization_are_answered_cleanly(client: Client) -> None:
    def status(*values: str) -> int:
        lines = "".join(f"Authorization: {value}\r\n" for value in values)
        head = f"POST {EDIT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        answer = wire(client, f"{head}{lines}Content-Length: 1\r\n\r\n{{".encode())
        return int(answer.split(b" ", 2)[1])

    assert status(f"bearer {KEY}") == 400  # as usual
    assert status(f"BEARER {KEY}") == 400
    assert status("Basic dXNlcjpwYXNz") == 401
    assert status(KEY) == 401
    assert status(f"Bearer {KEY}", "Bearer mock_invalid_key") == 400  # the first counts
    assert status("Bearer mock_invalid_key", f"Bearer {KEY}") == 401


@pytest.mark.rules("EDIT-AUTH-016")
@pytest.mark.parametrize("header", ["PAYMENT-SIGNATURE", "X-402-Payment", "X-PAYMENT"])
def test_a_payment_header_alone_is_no_credential(client: Client, header: str) -> None:
    assert is_discovery(client.send(good_body(), headers={header: "e30="}, key=None))


@pytest.mark.rules("EDIT-AUTH-017")
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_the_name_of_the_header_counts_in_any_letter_case(client: Client, name: str) -> None:
    def answer(line: str) -> bytes:
        head = f"POST {EDIT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        return wire(client, f"{head}{line}\r\nContent-Length: 1\r\n\r\n{{".encode())

    assert answer(f"{name}: Bearer {KEY}").startswith(b"HTTP/1.1 400 ")
    assert answer(f"{name}: Bearer mock_invalid_key").startswith(b"HTTP/1.1 401 ")
    assert answer("X-Nothing: here").startswith(b"HTTP/1.1 402 ")


@pytest.mark.rules("EDIT-AUTH-017")
@pytest.mark.parametrize("name", ["sign-in-with-x", "SIGN-IN-WITH-X", "x-sign-in-with-x", "X-SIGN-IN-WITH-X"])
def test_a_sign_in_header_in_any_letter_case_is_a_credential(client: Client, name: str) -> None:
    head = f"POST {EDIT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    answer = wire(client, f"{head}{name}: bm8=\r\nContent-Length: 1\r\n\r\n{{".encode())
    assert answer.startswith(b"HTTP/1.1 401 ")  # a bad one, but not none


@pytest.mark.rules("EDIT-AUTH-018", "EDIT-AUTH-023", "EDIT-AUTH-024", "MOCK-KEY-007", "MOCK-KEY-008")
@pytest.mark.parametrize(
    ("key", "status", "text"), [("mock_inactive", 401, INACTIVE), ("mock_disabled", 403, DISABLED)]
)
def test_the_state_of_an_account_refuses_its_key(
    client: Client, make_client: MakeClient, tmp_path: Path, key: str, status: int, text: str
) -> None:
    for body in (good_body(), b"{"):
        reply = client.send(body, key=key)
        assert (reply.status, reply.json) == (status, {"error": text})
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"customer": {"status": key.removeprefix("mock_")}}), "utf-8")
    reply = make_client(keys=file).send(good_body(), key="customer")
    assert (reply.status, reply.json) == (status, {"error": text})


SECRET = "sk-live-Zm9vYmFyc2VjcmV0"
PAYMENT = "cGF5bWVudC1zZWNyZXQtcGF5bWVudA=="
SIGN_IN = "c2lnbi1pbi1zZWNyZXQtc2lnbi1pbg=="


@pytest.mark.rules("EDIT-AUTH-019")
@pytest.mark.parametrize("pure", [False, True])
def test_no_credential_comes_back_or_reaches_a_log(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, pure: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(engine="fast", pure=pure, limits="real")
    bearer = f"Bearer {SECRET}"
    credentials: list[dict[str, str]] = [
        {"Authorization": bearer},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": SECRET},
        {"Authorization": f"{bearer} extra"},
        {"Authorization": f"Bearer mock_{SECRET}"},
        {"SIGN-IN-WITH-X": SIGN_IN},
        {"X-Sign-In-With-X": SIGN_IN, "Authorization": bearer},
        {"X-PAYMENT": PAYMENT},
        {"PAYMENT-SIGNATURE": PAYMENT, "Authorization": bearer},
    ]
    bodies = [
        good_body(), b"{", b"", good_body(n=1), good_body(model="nope"), good_body(image="x"),
        good_body(resolution="4K"), good_body(image=text_of(png(9, 9))), good_body(prompt="gore"),
    ]  # fmt: skip
    replies = [
        client.send(body, headers=headers, key=None, content_type=content_type)
        for headers in credentials
        for body in bodies
        for content_type in ("application/json", "text/plain", "multipart/form-data; boundary=x")
    ]
    replies += [client.send(good_body(), headers={"Authorization": bearer}, key=None) for _ in range(21)]
    for path in (
        "/api/v1/models?type=nope",
        "/api/v1/billing/balance",
        "/api/v1/nothing",
        "/api/v1/openapi.json",
    ):
        replies += [
            client.send(method="GET", path=path, headers=headers, key=None, content_type=None)
            for headers in credentials
        ]
    assert {reply.status for reply in replies} >= {200, 400, 401, 402, 404, 415, 429}

    def broken(*_: object) -> bytes:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(endpoint, "make_picture", broken)
    body = good_body(prompt="nobody has asked for this one before")
    head = f"POST {EDIT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}2\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    crash = wire(client, head.encode() + body)
    assert crash.startswith(b"HTTP/1.1 500 ")
    assert "ZeroDivisionError" in caplog.text  # the log was listened to

    for secret in (SECRET, PAYMENT, SIGN_IN):
        assert secret not in caplog.text
        assert secret.encode() not in crash
        for reply in replies:
            assert secret.encode() not in reply.body
            assert all(secret not in value for value in reply.headers.values())


@pytest.mark.rules("EDIT-AUTH-019")
def test_an_account_is_named_in_the_log_and_the_ledger_by_a_digest_only(client: Client) -> None:
    from venice_mock.accounts.keys import account_id

    assert SECRET not in account_id(SECRET)
    assert account_id(SECRET) == account_id(SECRET) != account_id(SECRET + "x")
    assert client.edit(**good(prompt=""), key=SECRET).status == 400
