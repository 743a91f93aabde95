"""Requests go out to the byte, answers come back whole, and what is no answer becomes a sentence in time."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from talkers import answer_of, says, silent, talking
from venice_contract.wire.asgi import AppError, AsgiTransport, load_app
from venice_contract.wire.http import HttpTransport
from venice_contract.wire.message import Part, Reply, Request, TransportFault, form_body, json_request
from venice_contract.wire.target import TargetError, read_target

OK = answer_of(200, b'{"a": 1}')


def over(port: int, timeout_s: float = 10.0) -> HttpTransport:
    return HttpTransport("http", "127.0.0.1", port, timeout_s)


def sent(port: int, request: Request, timeout_s: float = 10.0) -> Reply | None:
    """One request on a connection of its own."""
    with closing(over(port, timeout_s)) as transport:
        return transport.send(request)


def test_a_request_arrives_as_it_was_written() -> None:
    heads: list[bytes] = []

    def talk(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(OK)

    headers = (("X-Twice", "1"), ("X-Twice", "2"), ("Authorization", "Bearer caf\xe9"))
    with talking(talk) as port:
        transport = over(port)
        reply = transport.send(Request("POST", "/p?q=1", headers, b"body"))
        transport.close()
    assert reply is not None
    assert reply.json() == {"a": 1}
    lines = heads[0].split(b"\r\n")
    assert lines[0] == b"POST /p?q=1 HTTP/1.1"
    assert lines[1] == f"Host: 127.0.0.1:{port}".encode()
    assert [line for line in lines if line.startswith(b"X-Twice")] == [b"X-Twice: 1", b"X-Twice: 2"]
    assert b"Authorization: Bearer caf\xe9" in lines
    assert not any(line.lower().startswith((b"content-type", b"accept", b"user-agent")) for line in lines)


def test_a_chunked_body_is_sent_in_chunks() -> None:
    bodies: list[bytes] = []

    def talk(connection: socket.socket, head: bytes) -> None:
        body = head.partition(b"\r\n\r\n")[2]
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65536)
        bodies.append(body)
        connection.sendall(OK)

    with talking(talk) as port:
        sent(port, Request("POST", "/", (), b"x" * 70_000, framing="chunked"))
    assert bodies[0].startswith(b"10000\r\nxxx")
    assert bodies[0].count(b"\r\n") == 6


def test_an_answer_that_comes_before_the_whole_body_is_read() -> None:
    with talking(says(answer_of(413, b"{}")), drains=False) as port:
        reply = sent(port, Request("POST", "/", (), b"x" * (64 << 20)))
    assert reply is not None
    assert reply.status == 413


def test_a_request_may_stop_in_the_middle_and_wait() -> None:
    def talk(connection: socket.socket, head: bytes) -> None:
        assert b"Content-Length: 100" in head
        connection.sendall(answer_of(400, b"{}"))

    with talking(talk) as port:
        reply = sent(port, Request("POST", "/", (), b"y" * 100, sends=10))
    assert reply is not None
    assert reply.status == 400


def test_a_request_may_leave_before_its_answer() -> None:
    with talking(silent) as port:
        assert sent(port, Request("POST", "/", (), b"y" * 100, sends=10, then="leave")) is None


def test_a_kept_connection_that_the_server_closed_is_opened_anew() -> None:
    with talking(says(OK)) as port:
        transport = over(port)
        for _ in range(3):
            reply = transport.send(Request("GET", "/"))
            assert reply is not None
            assert reply.status == 200
        transport.close()


@pytest.mark.parametrize(
    ("talk", "kind", "words"),
    [
        (says(b""), "closed", "closed without an answer"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), "closed", "after 3 bytes"),
        (says(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "protocol", "no HTTP answer"),
        (says(b"HTTP/1.1 2x0 what\r\n\r\n"), "protocol", "no HTTP answer"),
    ],
)
def test_what_is_no_answer_is_told_in_a_sentence(talk: Any, kind: str, words: str) -> None:
    with talking(talk) as port, pytest.raises(TransportFault, match=words) as told:
        sent(port, Request("POST", "/image/edit?secret=1", (), b"{}"))
    assert told.value.kind == kind
    assert "secret" not in str(told.value)


def drip(connection: socket.socket, _head: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("talk", [silent, drip])
def test_a_server_that_hangs_or_drips_is_given_up_in_time(talk: Any) -> None:
    began = time.monotonic()
    with talking(talk) as port, pytest.raises(TransportFault, match=r"within 0\.3 seconds") as told:
        sent(port, Request("GET", "/"), 0.3)
    assert told.value.kind == "timeout"
    assert time.monotonic() - began < 5


def test_a_closed_port_and_an_unknown_host_cannot_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransportFault, match="cannot be reached") as told:
        sent(port, Request("GET", "/"))
    assert told.value.kind == "unreachable"


def test_plain_http_behind_https_is_a_fault_of_tls() -> None:
    with talking(says(OK), reads=b"") as port, pytest.raises(TransportFault) as told:
        HttpTransport("https", "127.0.0.1", port, 5).send(Request("GET", "/"))
    assert told.value.kind == "tls"


def test_all_requests_of_a_batch_are_under_way_at_once() -> None:
    waiting, everybody = [], 8

    def talk(connection: socket.socket, _head: bytes) -> None:
        waiting.append(1)
        until = time.monotonic() + 10
        while len(waiting) < everybody and time.monotonic() < until:
            time.sleep(0.005)
        connection.sendall(OK)

    with talking(talk) as port:
        replies = over(port).send_all([Request("GET", "/")] * everybody)
    assert [r.status for r in replies if isinstance(r, Reply)] == [200] * everybody


def test_one_fault_in_a_batch_stands_where_its_answer_would() -> None:
    def talk(connection: socket.socket, head: bytes) -> None:
        connection.sendall(OK if b"/good" in head else b"")

    with talking(talk) as port:
        replies = over(port).send_all([Request("GET", "/good"), Request("GET", "/bad")])
    assert isinstance(replies[0], Reply)
    assert isinstance(replies[1], TransportFault)


# --- in process ------------------------------------------------------------------------------------------------


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def echo(seen: list[Any]) -> Iterator[AsgiTransport]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            seen.append((await receive())["type"])
            await send({"type": "lifespan.startup.complete"})
            seen.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more, last = b"", True, {}
        while more:
            last = await receive()
            body += last.get("body", b"")
            more = last["type"] == "http.request" and last["more_body"]
        seen.append((scope, body, last["type"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-A", b"1")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        await send({"type": "http.response.body", "body": b"}"})

    transport = AsgiTransport(app)
    yield transport
    transport.close()


def test_in_process_too_a_request_arrives_as_it_was_written(echo: AsgiTransport, seen: list[Any]) -> None:
    reply = echo.send(Request("POST", "/a%2Fb?x=1", (("Accept", "*/*"),), b"z" * 600_000))
    assert reply is not None
    assert (reply.status, reply.headers, reply.body) == (200, (("x-a", "1"),), b"{}")
    scope, body, _ = seen[1]
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/a/b", b"/a%2Fb", b"x=1")
    assert len(body) == 600_000
    assert (b"content-length", b"600000") in scope["headers"]
    assert (b"host", b"127.0.0.1:8402") in scope["headers"]


def test_the_application_is_started_once_and_stopped_at_the_end(seen: list[Any]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            seen.append((await receive())["type"])
            await send({"type": "lifespan.startup.complete"})
            seen.append((await receive())["type"])
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = AsgiTransport(app)
    transport.send(Request("GET", "/"))
    transport.send(Request("GET", "/"))
    transport.close()
    assert seen == ["lifespan.startup", "lifespan.shutdown"]


def test_a_client_that_leaves_in_process_is_seen_as_one_that_left(
    echo: AsgiTransport, seen: list[Any]
) -> None:
    assert echo.send(Request("POST", "/", (), b"0123456789", sends=4, then="leave")) is None
    assert seen[1][1:] == (b"0123", "http.disconnect")


async def _raises(_scope: Any, _receive: Any, _send: Any) -> None:
    raise RuntimeError("a secret detail")


async def _raises_os_error(_scope: Any, _receive: Any, _send: Any) -> None:
    raise OSError(f"a secret detail of {io.BytesIO()}")


async def _raises_timeout(_scope: Any, _receive: Any, _send: Any) -> None:
    raise TimeoutError


async def _hangs(scope: Any, _receive: Any, _send: Any) -> None:
    if scope["type"] == "http":
        await asyncio.Event().wait()


async def _half(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (_raises, "failed"),
        (_raises_os_error, "failed"),
        (_raises_timeout, "failed"),
        (_hangs, "timeout"),
        (_half, "failed"),
    ],
    ids=["raises", "raises OSError", "raises TimeoutError", "hangs", "half"],
)
def test_an_application_that_fails_becomes_a_sentence(app: Any, kind: str) -> None:
    transport = AsgiTransport(app, timeout_s=0.2)
    with pytest.raises(TransportFault) as told:
        transport.send(Request("GET", "/"))
    transport.close()
    assert told.value.kind == kind
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("app", "name"),
    [(_raises, "RuntimeError"), (_raises_os_error, "OSError"), (_raises_timeout, "TimeoutError")],
)
def test_an_exception_of_any_kind_is_told_by_its_type_and_line(app: Any, name: str) -> None:
    transport = AsgiTransport(app)
    with pytest.raises(TransportFault) as told:
        transport.send(Request("GET", "/"))
    transport.close()
    line = app.__code__.co_firstlineno + 1
    where = f"{name} (test_transports.py:{line})"
    assert str(told.value) == f"GET /: the application raised {where} and did not answer."


async def _fails_in_a_library(_scope: Any, _receive: Any, _send: Any) -> None:
    json.loads("{")


def test_an_exception_of_a_library_is_told_by_the_line_that_called_it() -> None:
    transport = AsgiTransport(_fails_in_a_library)
    with pytest.raises(TransportFault, match=r"JSONDecodeError \(test_transports\.py:\d+\)"):
        transport.send(Request("GET", "/"))
    transport.close()


def test_an_application_in_the_current_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "an_app_of_this_folder.py").write_text("async def app(scope, receive, send): ...\n", "utf-8")
    (tmp_path / "a_broken_app.py").write_text("1 / 0\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != ""])
    assert callable(load_app("an_app_of_this_folder:app"))
    with pytest.raises(AppError, match=r"there is no module nowhere_at_all in ") as told:
        load_app("nowhere_at_all:app")
    assert str(tmp_path) in str(told.value)
    with pytest.raises(AppError, match="cannot be imported: ZeroDivisionError"):
        load_app("a_broken_app:app")


def test_a_factory_and_an_application_can_both_be_named() -> None:
    assert callable(load_app("standins:always_200"))
    found: object = load_app("talkers:answer_of")
    assert found is answer_of


@pytest.mark.parametrize("name", ["", "nowhere", "no.such.module:app", "json:nothing", "sys:version"])
def test_an_application_that_cannot_be_had_is_told_in_a_sentence(name: str) -> None:
    with pytest.raises(AppError):
        load_app(name)


# --- targets and bodies ----------------------------------------------------------------------------------------


def test_a_target_is_taken_apart() -> None:
    target = read_target("http://127.0.0.1:8402/__s/t17/api/v1/")
    assert (target.origin, target.prefix) == ("http://127.0.0.1:8402", "/__s/t17/api/v1")
    assert target.session_prefix == "/__s/t17"
    assert not target.is_remote
    assert not read_target("http://[::1]:1/api/v1").is_remote
    assert read_target("https://example.org/api/v1").is_remote
    assert read_target("http://localhost.example.org/api/v1").is_remote


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:8402",
        "ftp://h/",
        "http://",
        "http://h:x/",
        "http://h/p?q=1",
        "http://h/p#f",
        "http://h /",
    ],
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        read_target(text)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(TargetError) as told:
        read_target("http://user:hunter2@h/api/v1")
    assert "hunter2" not in str(told.value)


def test_a_form_is_written_as_forms_are() -> None:
    body = form_body([Part("prompt", b"x"), Part("image", b"\0", "a.png", "image/png")], "b")
    assert body == (
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n'
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\0\r\n"
        b"--b--\r\n"
    )
    assert json_request({"a": 1}).header("content-type") == "application/json"
