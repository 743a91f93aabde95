"""The server process, as a real process: the ready line, signals, ports, and the files it leaves."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import IO, Any

import pytest

from venice_mock.edit.deflate import FASTEST
from venice_mock.listening import bind
from venice_mock.serving import Address, banner
from venice_mock.settings import Settings, SettingsError

PATIENCE_S = 60.0

# An app that needs three questions before it is ready, and reads a body before it answers.
STAND_IN = """
import sys
from venice_mock.serving import serve
from venice_mock.settings import load_settings

asked = 0

async def app(scope, receive, send):
    global asked
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if MODE == "broken":
                await send({"type": "lifespan.startup.failed", "message": "no"})
                return
            await send({"type": message["type"] + ".complete"})
            if message["type"].endswith("shutdown"):
                return
    status, body = 200, str(asked).encode()
    if scope["path"] == "/readyz":
        asked += 1
        status = 404 if MODE == "never" else 503 if asked < 4 else 200
    if scope["path"] == "/fail":
        raise RuntimeError("Bearer sk-very-secret-1234")
    while scope["method"] == "POST" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})

def create(settings):
    if MODE == "refused":
        raise ValueError("The keys file is not there.")
    return app

MODE, *flags = sys.argv[1:]
try:
    code = serve(load_settings(dict(flag.split("=") for flag in flags), {}), create)
except ValueError as error:
    sys.exit(f"refused: {error}")
sys.exit(code)
"""


class Running:
    """A process whose two streams are read by line, each with a deadline."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        streams = {"stdout": process.stdout, "stderr": process.stderr}
        self._streams = {name: self._reader(stream) for name, stream in streams.items() if stream is not None}
        self.err = ""

    def _reader(self, stream: IO[str]) -> queue.Queue[str]:
        lines: queue.Queue[str] = queue.Queue()

        def read() -> None:
            for line in stream:
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        return lines

    def ready(self) -> dict[str, Any]:
        line = self._streams["stdout"].get(timeout=PATIENCE_S)
        assert line, f"ended without a ready line: {self.rest('stderr')}"
        told: dict[str, Any] = json.loads(line)
        return told

    def wait_for(self, text: str) -> None:
        """Read standard error up to the line that holds ``text``."""
        while text not in self.err:
            line = self._streams["stderr"].get(timeout=PATIENCE_S)
            assert line, f"{text!r} never came in: {self.err}"
            self.err += line

    def rest(self, name: str) -> str:
        shown = ""
        while line := self._streams[name].get(timeout=PATIENCE_S):
            shown += line
        return shown

    def end(self, sig: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(sig)
        return self.process.wait(PATIENCE_S)


def clean_environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("VENICE_MOCK_")}


@contextlib.contextmanager
def running(*command: str, stdout: int = subprocess.PIPE, **environ: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=clean_environment() | environ,
    )
    with process:
        try:
            yield Running(process)
        finally:
            process.kill()


@contextlib.contextmanager
def stand_in(*flags: str, mode: str = "good") -> Iterator[Running]:
    with running("-c", STAND_IN, mode, "port=0", *flags) as process:
        yield process


@contextlib.contextmanager
def connected(port: int, host: str = "127.0.0.1") -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=PATIENCE_S)) as connection:
        yield connection


def get(port: int, path: str, host: str = "127.0.0.1", **headers: str) -> tuple[int, bytes, Message]:
    """Status, body and headers of one GET over a connection of its own."""
    with connected(port, host) as connection:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as answer:
            return answer.status, answer.read(), answer.headers


@contextlib.contextmanager
def half_sent_request(port: int) -> Iterator[socket.socket]:
    """A request that the app has begun and whose body lacks its last byte."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as sock:
        sock.sendall(b"POST /slow HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 100 ")  # uvicorn says so when the app asks for the body
        sock.sendall(b"a")
        yield sock


def wait_until_refused(port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue  # came in at the moment of closing
    raise AssertionError("new connections are still accepted")


def test_one_line_of_json_says_where_once_it_really_answers() -> None:
    with stand_in() as server:
        told = server.ready()
        port = told["port"]
        assert told == {
            "event": "ready",
            "base_url": f"http://127.0.0.1:{port}/api/v1",
            "host": "127.0.0.1",
            "port": port,
            "pid": server.process.pid,
            "edition": "2026-06-19",
            "behavior": "documented",
            "png_writer": FASTEST.name,
        }
        _, body, headers = get(port, "/asked")
        assert body == b"4"  # three times not ready, then ready, all before the line
        assert headers["server"] is None
        assert server.end() == 0
        assert server.rest("stdout") == ""


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_is_in_flight_then_exits_with_0(sig: signal.Signals) -> None:
    with stand_in() as server:
        port = server.ready()["port"]
        with half_sent_request(port) as sock:
            server.process.send_signal(sig)
            server.wait_for("stopping: finishing 1 request ")
            wait_until_refused(port)
            sock.sendall(b"b")
            assert sock.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(PATIENCE_S) == 0
        server.wait_for("POST /slow 200 ")


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with stand_in(f"port_file={file}") as server:
        with half_sent_request(server.ready()["port"]):
            server.process.send_signal(signal.SIGINT)
            server.wait_for("stopping")
            assert server.end(signal.SIGINT) == 130
        assert not file.exists()


def test_an_idle_connection_does_not_hold_up_the_end() -> None:
    with stand_in() as server:
        with connected(server.ready()["port"]) as connection:
            connection.request("GET", "/asked")
            connection.getresponse().read()  # and the connection stays open
            assert server.end() == 0


def test_the_port_file_holds_the_port_while_serving_and_no_longer(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with stand_in(f"port_file={file}") as server:
        told = server.ready()
        assert file.read_text() == f"{told['port']}\n"
        assert server.end() == 0
        assert list(tmp_path.iterdir()) == []


def test_the_port_file_of_another_server_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with stand_in(f"port_file={file}") as server:
        server.ready()
        file.write_text("1\n")
        assert server.end() == 0
        assert file.read_text() == "1\n"


@pytest.mark.parametrize("name", ["", "missing/port"])
def test_a_port_file_that_cannot_be_written_is_refused_before_serving(name: str, tmp_path: Path) -> None:
    with stand_in(f"port_file={tmp_path / name}") as server:
        assert server.rest("stderr").startswith("refused: The port file ")
        assert server.rest("stdout") == ""


def test_a_taken_port_is_one_sentence_and_exit_code_2() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with running("-m", "venice_mock", "serve", "--port", str(port)) as server:
            assert server.process.wait(PATIENCE_S) == 2
            assert server.rest("stderr") == (
                f"venice-mock serve: Port {port} on 127.0.0.1 is already in use; "
                "choose another with --port (0: any free one).\n"
            )
            assert server.rest("stdout") == ""


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("no-such-host.invalid", "The host no-such-host.invalid cannot be resolved"),
        ("192.0.2.1", "The host 192.0.2.1 is not an address of this machine"),
    ],
)
def test_a_host_that_is_not_ours_is_one_sentence(host: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        bind(host, 0)


def test_what_the_app_refuses_is_told_before_anything_is_announced() -> None:
    with stand_in(mode="refused") as server:
        assert server.rest("stderr") == "refused: The keys file is not there.\n"
        assert server.rest("stdout") == ""


@pytest.mark.parametrize(("mode", "told"), [("never", "not ready: GET "), ("broken", "startup failed")])
def test_a_server_that_never_gets_ready_exits_with_1_and_announces_nothing(mode: str, told: str) -> None:
    with stand_in(mode=mode) as server:
        assert server.process.wait(PATIENCE_S) == 1
        assert server.rest("stdout") == ""
        assert told in server.rest("stderr")


def test_the_socket_is_made_for_tcp_by_number() -> None:
    # asyncio sets TCP_NODELAY only then, and an answer would take 40 ms without.
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_localhost_means_an_ipv4_address_where_there_is_one() -> None:
    with bind("localhost", 0) as listener:
        assert listener.family == socket.AF_INET


def has_ipv6() -> bool:
    try:
        bind("::1", 0).close()
    except SettingsError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_host_is_served_and_bracketed_in_the_url() -> None:
    with stand_in("host=::1") as server:
        told = server.ready()
        assert told["base_url"] == f"http://[::1]:{told['port']}/api/v1"
        assert get(told["port"], "/asked", host="::1")[0] == 200
        assert server.end() == 0


def test_every_address_is_announced_by_one_that_clients_can_use() -> None:
    assert Address("0.0.0.0", 8402).base_url == "http://127.0.0.1:8402/api/v1"
    assert Address("::", 8402).base_url == "http://[::1]:8402/api/v1"
    assert "Everybody on your network" in banner(Settings(host="0.0.0.0"), Address("0.0.0.0", 8402))


def test_the_greeting_names_the_inspector_where_it_can_be_seen() -> None:
    page, address = "http://127.0.0.1:8402/__mock/\n", Address("127.0.0.1", 8402)
    assert page in banner(Settings(), address)
    assert page in banner(Settings(trust_proxy=True, control_token="t"), address)
    for closed in (Settings(control=False), Settings(trust_proxy=True)):
        assert page not in banner(closed, address)


def test_no_credential_reaches_the_log_even_when_the_app_fails() -> None:
    with stand_in("log_level=debug") as server:
        port = server.ready()["port"]
        assert get(port, "/fail?key=hidden-query", Authorization="Bearer sk-very-secret-1234")[0] == 500
        assert server.end() == 0
        log = server.rest("stderr")
        assert "RuntimeError" in log
        assert "GET /fail" in log
        assert "very-secret" not in log
        assert "hidden-query" not in log


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ([], True),
        (["log_level=error"], False),
        (["log_format=json"], False),
    ],
)
def test_the_greeting_is_shown_unless_it_would_disturb(flags: list[str], shown: bool) -> None:
    with stand_in(*flags) as server:
        server.ready()
        assert server.end() == 0
        assert ("A first edit" in server.rest("stderr")) is shown


def test_in_json_every_line_of_the_log_is_an_object() -> None:
    with stand_in("log_format=json") as server:
        get(server.ready()["port"], "/asked")
        assert server.end() == 0
        entries = [json.loads(line) for line in server.rest("stderr").splitlines()]
        assert [entry["event"] for entry in entries] == ["request", "stopping"]


def test_without_a_reader_of_its_output_the_server_serves_on(tmp_path: Path) -> None:
    file = tmp_path / "port"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with running("-c", STAND_IN, "good", "port=0", f"port_file={file}", stdout=writing) as server:
            server.wait_for("A first edit")
            assert get(int(file.read_text()), "/asked")[0] == 200
            assert server.end() == 0
            assert "Broken" not in server.rest("stderr")
    finally:
        os.close(writing)


# ---- the real app ---------------------------------------------------------------------------------------


def first_curl_line(settings: Settings, port: int) -> str:
    lines = banner(settings, Address(settings.host, port)).splitlines()
    return next(line for line in lines if line.lstrip().startswith("curl "))


@pytest.mark.parametrize("fetch", ["loopback", "none"])
def test_the_curl_line_of_the_greeting_works_as_pasted(fetch: str, tmp_path: Path) -> None:
    with running("-m", "venice_mock", "serve", "--fetch", fetch, VENICE_MOCK_PORT="0") as server:
        port = server.ready()["port"]
        line = first_curl_line(Settings(fetch=(fetch,)), port)
        server.wait_for(line.strip())
        subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True)
        assert (tmp_path / "edited.png").read_bytes().startswith(b"\x89PNG")
        assert server.end() == 0


@pytest.mark.parametrize(
    "flags",
    [
        ["--edition", "1999-01-01"],
        ["--edition", "/no/such/edition.json"],
        ["--default-model", "no-such-model"],
        ["--keys", "/no/such/keys"],
        ["--config", "/no/such/config.toml"],
    ],
)
def test_what_cannot_be_served_is_one_sentence_and_exit_code_2(flags: list[str]) -> None:
    with running("-m", "venice_mock", "serve", "--port", "0", *flags) as server:
        assert server.process.wait(PATIENCE_S) == 2
        told = server.rest("stderr")
        assert told.startswith("venice-mock serve: ")
        assert told.count("\n") == 1
        assert server.rest("stdout") == ""
