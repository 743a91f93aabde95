"""Logs: one line per request, two formats, and never a credential."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from venice_mock import logs
from venice_mock.logs import TextFormatter

HEADERS = [(b"authorization", b"Bearer sk-very-secret-1234"), (b"x-sign-in-with-x", b"e30secret")]


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    package = logging.getLogger(logs.LOGGER)
    kept = root.handlers[:], root.level, package.level
    yield
    root.handlers[:], root.level, package.level = kept[0], kept[1], kept[2]


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    scope[logs.REQUEST_ID] = "r-1"
    await send({"type": "http.response.start", "status": 201, "headers": [(b"X-Request-Id", b"other")]})
    await send({"type": "http.response.body", "body": b""})


async def silence(_scope: Scope, _receive: Receive, _send: Send) -> None:
    return


async def failure(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("Bearer sk-very-secret-1234 was not expected")


def one_request(log_format: str, path: str = "/api/v1/x", app: ASGIApp = answer, level: str = "info") -> str:
    stream = io.StringIO()
    logger = logs.configure("json" if log_format == "json" else "text", level, stream)
    ticks = iter((1.0, 1.25))
    wrapped = logs.AccessLog(app, logger, lambda: next(ticks))

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        return

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"key=secret",
        "headers": HEADERS,
    }
    try:
        asyncio.run(wrapped(scope, receive, send))
    except RuntimeError:
        logger.exception("failed")
    return stream.getvalue()


def test_a_text_line_tells_method_path_status_time_and_request_id() -> None:
    assert one_request("text").split(" ", 1)[1] == "info    POST /api/v1/x 201 250.0 ms id=r-1\n"


def test_a_json_line_tells_the_same() -> None:
    entry = json.loads(one_request("json"))
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "path": "/api/v1/x",
        "status": 201,
        "ms": 250.0,
        "request_id": "r-1",
    }


async def refusal(scope: Scope, _receive: Receive, send: Send) -> None:
    scope[logs.REFUSAL] = {
        "refusal": "TOO_MUCH",
        "rule": "EDIT-IMG-001",
        "hint": "Bearer sk-very-secret-1234 is long",
    }
    scope[logs.TOLD] = {"session": "t17", "entry": "req-000001"}
    await answer(scope, _receive, send)


def test_a_refusal_is_told_with_its_rule_and_the_session_in_the_same_line() -> None:
    entry = json.loads(one_request("json", app=refusal))
    told = {"refusal": "TOO_MUCH", "rule": "EDIT-IMG-001", "hint": "Bearer [hidden] is long"}
    assert entry.items() >= {**told, "session": "t17", "entry": "req-000001", "request_id": "r-1"}.items()
    line = one_request("text", app=refusal)
    assert line.endswith("201 250.0 ms TOO_MUCH: Bearer [hidden] is long id=r-1\n")


@pytest.mark.parametrize(
    ("text", "sane"),
    [
        *(("a", True), ("3f2c9a1e-7b6d-4c5e-8f90-a1b2c3d4e5f6", True), ("x" * 64, True), ("a.b:c_d-1", True)),
        *(("", False), ("x" * 65, False), ("a b", False), ("a\n", False), ("a,b", False), ("é", False)),
        *(("sk-abcdef1234567", False), ("venice_abcdef1234567", False), ("<script>", False), ('a"b', False)),
    ],
)
def test_an_id_that_a_client_chose_is_one_short_word_and_no_credential(text: str, sane: bool) -> None:
    assert logs.is_request_id(text) is sane


def test_a_request_without_an_answer_is_logged_without_a_status() -> None:
    assert json.loads(one_request("json", app=silence))["status"] is None
    assert "no answer" in one_request("text", app=silence)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("app", [answer, silence, failure])
def test_no_header_query_or_credential_reaches_a_line(log_format: str, app: ASGIApp) -> None:
    written = one_request(log_format, "/__mock/accounts/my-key-77/ledger", app, level="debug")
    assert "POST /__mock/accounts/[hidden]/ledger" in written or log_format == "json"
    for secret in ("secret", "my-key-77"):
        assert secret not in written


def test_a_path_cannot_forge_a_second_line() -> None:
    written = one_request("text", "/a\n12:00:00 info    POST /forged 200\x1b[2J")
    assert written.count("\n") == 1
    assert "\x1b" not in written


def test_a_very_long_path_is_cut() -> None:
    assert len(one_request("text", "/a" * 5000)) < 300


def test_health_checks_are_written_only_when_debugging() -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        assert one_request("text", path) == ""
        assert path in one_request("text", path, level="debug")
        assert "TOO_MUCH" in one_request("text", path, refusal)  # which somebody ought to see


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_is_kept_but_scrubbed(log_format: str) -> None:
    written = one_request(log_format, app=failure)
    assert "RuntimeError" in written
    assert "Bearer [hidden]" in written


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def",
        "bearer\tabc.def",
        "'authorization': 'abc.def'",
        "key sk-abcdef1234567",
        "PAYMENT-SIGNATURE: abc.def",
        "SIGN-IN-WITH-X=abc.def",
        "image " + "abcAdef" * 40,
    ],
)
def test_what_looks_like_a_credential_or_a_picture_is_struck_out(text: str) -> None:
    shown = logs.scrub(text)
    assert "[hidden]" in shown
    assert "abc" not in shown.lower()


def test_libraries_are_not_heard_below_warning() -> None:
    stream = io.StringIO()
    logs.configure("text", "debug", stream)
    logging.getLogger("python_multipart").debug("a part's bytes")
    logging.getLogger("venice_mock.edit").debug("ours")
    assert "bytes" not in stream.getvalue()
    assert "ours" in stream.getvalue()


def test_ordinary_sentences_are_left_alone() -> None:
    sentence = "stopping: finishing 2 requests in /usr/lib/python3.11/site-packages/venice_mock/app.py"
    assert logs.scrub(sentence) == sentence


def test_a_message_is_one_line_without_control_characters() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "a\n12:00:00 error forged \x1b[31m", (), None)
    line = TextFormatter().format(record)
    assert line.isprintable()
    assert "a\\n12:00:00" in line


def test_a_huge_message_is_cut_before_it_is_searched_for_secrets() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "a " * 10_000_000, (), None)
    assert len(TextFormatter().format(record)) < 30_000


@pytest.mark.parametrize("key", ["abc", "abc/SECRET", "/SECRET", "a/b/SECRET/c"])
@pytest.mark.parametrize("end", ["", "/ledger"])
def test_no_part_of_a_key_in_a_path_is_logged(key: str, end: str) -> None:
    assert logs.log_path(f"/__mock/accounts/{key}{end}") == f"/__mock/accounts/[hidden]{end}"


# Pieces of credentials, of what looks like them, and of what may stand around them.
PIECES = (
    *("sk-", "SK_", "venice-", "Venice_", "Bearer ", "authorization", "X-Payment: ", "sign-in-with-x="),
    *("payment-signature", "a" * 8, "9" * 119, "Zm9v" * 30, "=", "/", "+", " ", "'", ":", "task", "K"),
    *("\u017f", "\u0130", "\u00e9"),
)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=4))
def test_a_quick_look_passes_nothing_that_a_slow_one_would_strike_out(pieces: list[str]) -> None:
    text = "".join(pieces)
    hidden = logs._SECRET.sub(
        lambda match: "".join(group or "" for group in match.groups()) + "[hidden]", text
    )
    assert logs.scrub(text) == hidden
