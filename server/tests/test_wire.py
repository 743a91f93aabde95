"""What a connection may send beside its body, against a real server on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import pytest
import uvicorn

from live import running
from venice_mock.wire import DRAIN_LIMIT, HEAD_LIMIT, BoundedProtocol


async def hello(_: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - an app that answers without reading
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Impatient(BoundedProtocol):
    head_timeout_s = 0.05


@contextmanager
def serving(protocol: type[asyncio.Protocol], app: Any = hello) -> Iterator[tuple[str, int]]:
    """The address of a server that answers everything at once."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=protocol, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
        assert not thread.is_alive()


def until_closed(connection: socket.socket) -> bytes:
    """Everything the server still says before it closes."""
    connection.settimeout(20)
    said = b""
    try:
        while piece := connection.recv(65536):
            said += piece
    except ConnectionResetError:
        pass
    return said


def one_answer(connection: socket.socket) -> bytes:
    """One answer of ``hello``, however it is cut."""
    said = b""
    while not said.endswith(b"\r\n\r\nok"):
        piece = connection.recv(65536)
        assert piece, said
        said += piece
    return said


def taken_of(connection: socket.socket, piece: bytes, most: int) -> int:
    """How many bytes the server takes before it closes; ``most`` when it takes all."""
    taken = 0
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while taken < most:
            connection.sendall(piece)
            taken += len(piece)
    return taken


def test_headers_up_to_the_limit_are_read_and_longer_ones_refused() -> None:
    with serving(BoundedProtocol) as address:
        for size, status in ((HEAD_LIMIT // 2, b"200"), (HEAD_LIMIT * 8, b"431")):
            with socket.create_connection(address) as connection:
                head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: "
                sent = head + b"a" * size + b"\r\n\r\n"
                taken_of(connection, sent, len(sent))  # it need not hear all of it
                answer = until_closed(connection)
            assert answer.startswith(b"HTTP/1.1 " + status) or (status == b"431" and answer == b"")


def test_headers_without_end_are_not_collected() -> None:
    with serving(BoundedProtocol) as address, socket.create_connection(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        taken = taken_of(connection, b"X-A: " + b"b" * 4000 + b"\r\n", 64 << 20)
        assert taken < 32 << 20  # what the socket's buffers hold, and no more


@pytest.mark.rules("EDIT-HTTP-024")
def test_a_client_that_never_ends_its_headers_is_left() -> None:
    with serving(Impatient) as address, socket.create_connection(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert until_closed(connection) == b""


def test_requests_on_one_connection_are_counted_each_for_itself() -> None:
    with serving(BoundedProtocol) as address, socket.create_connection(address) as connection:
        one = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (HEAD_LIMIT // 3) + b"\r\n\r\n"
        for _ in range(5):
            connection.sendall(one)
            assert one_answer(connection).startswith(b"HTTP/1.1 200")


def test_an_idle_connection_between_two_requests_is_no_slow_header() -> None:
    with serving(Impatient) as address, socket.create_connection(address) as connection:
        for _ in range(2):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert one_answer(connection).startswith(b"HTTP/1.1 200")
            time.sleep(Impatient.head_timeout_s * 3)  # the pause is what is tested


def test_a_line_end_behind_a_body_does_not_end_the_answer_that_is_being_made() -> None:
    answering = asyncio.Event()

    async def slow(_: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(Impatient.head_timeout_s * 4)  # longer than a header may take
        answering.set()
        await hello(_, receive, send)

    with serving(Impatient, slow) as address, socket.create_connection(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        connection.sendall(b"\r\n")
        assert one_answer(connection).startswith(b"HTTP/1.1 200")
    assert answering.is_set()


def test_what_is_sent_after_the_answer_is_swallowed_only_up_to_a_limit() -> None:
    with serving(BoundedProtocol) as address, socket.create_connection(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert one_answer(connection).startswith(b"HTTP/1.1 200")
        sent = taken_of(connection, bytes(1 << 20), 4 * DRAIN_LIMIT)
        assert DRAIN_LIMIT <= sent < 2 * DRAIN_LIMIT


def test_the_served_process_has_the_bounds() -> None:
    with running() as origin:
        host, _, port = origin.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (HEAD_LIMIT * 8))
            assert not until_closed(connection).startswith(b"HTTP/1.1 200")


STALLED = """
import sys
from venice_mock import serving
from venice_mock.settings import Settings

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind.endswith("shutdown"):
                return
    length = 2 if scope["path"] == "/readyz" else 64 << 20
    head = [(b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": bytes(length)})

serving._GRACE_S = 1
sys.exit(serving.serve(Settings(port=0, log_level="error"), lambda settings: app))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_client_that_does_not_read_its_answer_cannot_keep_the_server_from_ending() -> None:
    with subprocess.Popen([sys.executable, "-c", STALLED], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = json.loads(server.stdout.readline())["port"]
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
                server.send_signal(signal.SIGTERM)
                assert server.wait(20) == 0
        finally:
            server.kill()
